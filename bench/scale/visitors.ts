/**
 * Visitors of a web server, each with a connection that it keeps, until so many requests
 * were answered between them:
 *
 *   node visitors.js 8080 20000
 */
import { connect } from "node:net";

const VISITORS = 64;
const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

const [port = 0, requests = 0] = process.argv.slice(2).map(Number);
let asked = 0;
let answered = 0;
for (let visitor = 0; visitor < VISITORS; visitor++) {
  const socket = connect(port, "127.0.0.1");
  const ask = () => {
    if (asked++ < requests) socket.write(REQUEST);
  };
  socket.on("connect", ask).on("data", (answer) => {
    if (!answer.includes("HTTP/1.1 200")) throw new Error(answer.toString());
    if (++answered >= requests) process.exit();
    ask();
  });
}
