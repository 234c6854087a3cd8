import { connect } from "node:net";

/**
 * Sends bytes on a connection of their own, says that no more will come, and resolves
 * to everything that was answered until the server closed.
 */
export async function exchange(port: number, request: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const pieces: Buffer[] = [];
  socket.on("data", (piece) => pieces.push(piece));
  socket.on("error", () => socket.destroy());
  socket.end(request, "latin1");
  await new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => resolve());
  });
  socket.destroy();
  return Buffer.concat(pieces).toString("latin1");
}
