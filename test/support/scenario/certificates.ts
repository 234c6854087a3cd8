import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:tls";
import { Client } from "tslibmc";
import { Authority, type Certificate } from "../certificates.js";
import { FaultProxy } from "../faultproxy.js";
import type { Memcached, MemcachedOptions } from "../memcached.js";
import { type Fault, Servers, stageOf } from "./stage.js";

const NAMES = ["DNS:localhost", "IP:127.0.0.1"];

/**
 * The server is told of a new certificate while it runs, and all connections break. Those
 * who had one take up their sessions again; who comes anew sees the new certificate.
 */
export const renewed: Fault = {
  name: "TLS certificate renewed",
  shows: "nothing",
  empties: false,
  async stage() {
    const { stage, servers, own, authority, proxy } = await speakingTls();
    const next = authority.issue("next", NAMES);
    const begin = async () => {
      replace(own, next);
      await refreshCertificates(servers.victim);
      await using newcomer = new Client(proxy.address, { ...stage.options, timeoutMs: 10_000 });
      await newcomer.version();
      proxy.cutAll();
    };
    return { ...stage, begin };
  },
};

/** The server is started again with a certificate that nobody trusts, and then with a right one. */
export const untrusted: Fault = {
  name: "TLS certificate of an unknown authority",
  shows: "loss",
  empties: true,
  errors: ["ConnectError", "ConnectionClosedError"],
  async stage() {
    const { stage, servers, own, authority } = await speakingTls();
    using unknown = new Authority("nobody that is known");
    const [wrong, right] = [unknown.issue("wrong", NAMES), authority.issue("right", NAMES)];
    const begin = async () => {
      replace(own, wrong);
      await servers.victim.restart();
    };
    const end = async () => {
      replace(own, right);
      await servers.victim.restart();
    };
    return { ...stage, begin, end };
  },
};

/** Servers with certificates, and a proxy before the one that suffers, to cut its connections. */
async function speakingTls() {
  const authority = new Authority("authority of the scenarios");
  const own = authority.issue("own", NAMES);
  const servers = await Servers.start(showing(authority.issue("others", NAMES)), showing(own));
  const proxy = await FaultProxy.start(servers.victim, Math.random);
  const stage = stageOf(
    servers,
    { servers: servers.addressesWith(proxy.address), options: { tls: { ca: authority.cert } } },
    proxy,
    { [Symbol.asyncDispose]: async () => authority[Symbol.dispose]() },
  );
  return { stage, servers, own, authority, proxy };
}

function showing({ certFile, keyFile }: Certificate): MemcachedOptions {
  return { args: ["-Z", "-o", `ssl_chain_cert=${certFile},ssl_key=${keyFile}`] };
}

/** Puts another certificate into the files of one. */
function replace({ certFile, keyFile }: Certificate, { cert, key }: Certificate): void {
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
}

/** @throws if the server still shows the certificate that it had */
async function refreshCertificates({ host, port }: Memcached): Promise<void> {
  const before = await shown(host, port, "refresh_certs");
  if ((await shown(host, port, "version")) === before) {
    throw new Error(`${host}:${port} goes on showing the same certificate`);
  }
}

/** Sends a command, and tells the fingerprint of the certificate that the server showed. */
async function shown(host: string, port: number, command: string): Promise<string> {
  const socket = connect({ host, port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.write(`${command}\r\n`);
  await once(socket, "data");
  socket.destroy();
  return fingerprint256;
}
