import { AuthError } from "../errors.js";

/** Who asks. */
export interface Credentials {
  /** The name that the server knows the program by. */
  readonly username: string;
  /** No error and no inspection shows it. */
  readonly password: string;
}

/**
 * Gives the credentials for a server, anew for each connection, so that they can change.
 * @param server - its name, as in errors and results
 */
export type CredentialsProvider = (server: string) => Credentials | Promise<Credentials>;

/**
 * Asks for credentials and checks them. Nothing that it throws shows them.
 * @throws AuthError
 */
export async function credentialsFor(
  server: string,
  provide: CredentialsProvider,
): Promise<Credentials> {
  let given: Credentials;
  try {
    given = await provide(server);
  } catch (cause) {
    throw new AuthError(`The function for credentials failed for ${server}`, { server, cause });
  }
  if (typeof given?.username === "string" && typeof given.password === "string") return given;
  throw new AuthError(
    `The function for credentials has to give { username, password }, two strings, for ${server}`,
    { server },
  );
}
