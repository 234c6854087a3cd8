import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";

/** Has a server listen on any free port, and says on which. */
export async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  await once(server.listen(0, host), "listening");
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on, for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

/** Whether somebody listens. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (accepted: boolean) => () => {
      resolve(accepted);
      socket.destroy();
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}
