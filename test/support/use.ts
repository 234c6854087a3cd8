import { Client, type ClientOptions, type Servers } from "tslibmc";
import { onTestFinished } from "vitest";

/** Disposes of it when the test that runs is over, of the latest first. */
export function use<T extends AsyncDisposable>(resource: T): T {
  onTestFinished(() => resource[Symbol.asyncDispose]().then(() => {}));
  return resource;
}

/** For calls that are answered, however long a starved machine takes. */
export const PATIENT = { timeoutMs: 15_000 } as const;

/** A client that does not wait for anything when the test that runs is over. */
export function clientOf(servers: Servers, options: ClientOptions = {}): Client {
  const client = new Client(servers, options);
  onTestFinished(() => client.close({ drainMs: 0 }));
  return client;
}
