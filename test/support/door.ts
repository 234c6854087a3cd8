import { connect, createServer, type Socket } from "node:net";
import { listen } from "./port.js";

/** Another address of a server: everything passes, and there is a list of who came. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  readonly visitors: readonly Socket[];
}

/** @param host - the address of this machine that it is at */
export async function openDoor(
  to: { readonly host: string; readonly port: number },
  host = "127.0.0.1",
): Promise<Door> {
  const visitors: Socket[] = [];
  const server = createServer((visitor) => {
    visitors.push(visitor);
    const inside = connect(to.port, to.host);
    for (const one of [visitor, inside]) one.on("error", () => one.destroy());
    visitor.pipe(inside).pipe(visitor);
    visitor.once("close", () => inside.destroy());
  });
  return {
    port: await listen(server, host),
    visitors,
    async [Symbol.asyncDispose]() {
      for (const visitor of visitors) visitor.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
