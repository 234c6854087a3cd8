import { MemcachedServer } from "tslibmc/testing";
import { expect, test } from "vitest";
import { exchange } from "./support/wire.js";

const ASK = "config get cluster\r\n";
const block = (data: string) => `CONFIG cluster 0 ${data.length}\r\n${data}\r\nEND\r\n`;

test("a server without a cluster has no command config", async () => {
  await using server = await MemcachedServer.start();
  expect(await exchange(server.port, `${ASK}mn\r\n`)).toBe("ERROR\r\nMN\r\n");
});

test("a discovery endpoint tells its cluster, under a version that grows", async () => {
  await using server = await MemcachedServer.start({
    cluster: ["10.0.0.1:11211", "one.test:11212", "[::1]:11213", "two.test|10.0.0.2|11214"],
  });
  const members = "10.0.0.1|10.0.0.1|11211 one.test||11212 ::1|::1|11213 two.test|10.0.0.2|11214";
  expect(await exchange(server.port, ASK)).toBe(block(`1\n${members}\n`));
  server.announce(["one.test:11212"]);
  expect(await exchange(server.port, ASK)).toBe(block("2\none.test||11212\n"));
  server.announce([]);
  expect(await exchange(server.port, ASK)).toBe(block("3\n\n"));
  await server.restart();
  expect(await exchange(server.port, ASK)).toBe(block("3\n\n"));
});

test("a server becomes one when it is told of a cluster", async () => {
  await using server = await MemcachedServer.start({ compat: "1.6.18" });
  expect(await exchange(server.port, ASK)).toBe("ERROR\r\n");
  server.announce(["one.test:11212"]);
  expect(await exchange(server.port, ASK)).toBe(block("1\none.test||11212\n"));
});

test("a configuration is set over the wire, and is no item", async () => {
  await using server = await MemcachedServer.start({ cluster: [] });
  const data = "7\none.test||1\n";
  const set = `config set cluster 0 ${data.length}\r\n${data}\r\n`;
  expect(await exchange(server.port, `${set}${ASK}get cluster\r\nconfig get other\r\n`)).toBe(
    `STORED\r\n${block(data)}END\r\nEND\r\n`,
  );
  expect(server.size).toBe(0);
});

test.each([
  ["config", "ERROR"],
  ["config get", "ERROR"],
  ["config get cluster other", "ERROR"],
  ["config delete cluster", "ERROR"],
  ["config set cluster 0", "ERROR"],
  ["config set cluster 0 x", "CLIENT_ERROR bad command line format"],
  ["config set cluster -1 1", "CLIENT_ERROR bad command line format"],
  ["config set cluster 0 1048577", "CLIENT_ERROR bad command line format"],
  ["config set cluster 0 1\r\nlong", "CLIENT_ERROR bad data chunk"],
])("%j is answered with %j", async (line, answer) => {
  await using server = await MemcachedServer.start({ cluster: [] });
  const reply = await exchange(server.port, `${line}\r\n`);
  expect(reply.split("\r\n")[0]).toBe(answer);
});

test("a fault strikes it as any other command", async () => {
  await using server = await MemcachedServer.start({
    cluster: ["one.test:1"],
    faults: [
      {
        on: { command: "config", nth: 1 },
        do: { kind: "answer", bytes: "SERVER_ERROR later\r\n" },
      },
    ],
  });
  expect(await exchange(server.port, ASK + ASK)).toBe(
    `SERVER_ERROR later\r\n${block("1\none.test||1\n")}`,
  );
});
