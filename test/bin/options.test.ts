import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OptionError } from "tslibmc";
import { afterAll, describe, expect, it } from "vitest";
import { readCommandLine } from "../../src/bin/options.js";

const folder = mkdtempSync(join(tmpdir(), "options-"));
const users = join(folder, "users");
const certificate = join(folder, "cert.pem");
writeFileSync(users, "user:pass:word\nother:x\r\n\n");
writeFileSync(certificate, "PEM");
afterAll(() => rmSync(folder, { recursive: true }));

const read = (line: string, environment = {}) =>
  readCommandLine(line === "" ? [] : line.split(" "), environment);

describe("the command line", () => {
  it("has memcached's defaults", () => {
    expect(read("").server).toMatchObject({
      port: 11211,
      protocol: "auto",
      evict: true,
      cas: true,
    });
    expect(read("").server.host).toBeUndefined();
  });

  it.each<[string, object]>([
    ["-p 11311 -m 64", { port: 11311, memoryLimit: 64 * 1024 * 1024 }],
    ["-p11311 -m64", { port: 11311, memoryLimit: 64 * 1024 * 1024 }],
    ["--port=11311 --memory-limit=8", { port: 11311, memoryLimit: 8 * 1024 * 1024 }],
    ["-p -1 -U -1", { port: 0, udpPort: 0 }],
    ["-U 0", { port: 11211, udpPort: undefined }],
    ["-U 11222", { port: 11222, udpPort: 11222 }],
    ["-l 0.0.0.0", { host: "0.0.0.0", port: 11211 }],
    ["-l localhost:11999", { host: "localhost", port: 11999 }],
    ["-l [::1]:11999", { host: "::1", port: 11999 }],
    ["-s /tmp/x.sock", { path: "/tmp/x.sock" }],
    [
      "-M -C -F -X -W -A",
      { evict: false, cas: false, flushAll: false, dump: false, watch: false, shutdown: true },
    ],
    ["-MCF", { evict: false, cas: false, flushAll: false }],
    ["-I 2m", { itemSizeMax: 2 * 1024 * 1024 }],
    ["-I 512k", { itemSizeMax: 512 * 1024 }],
    ["-I 4096", { itemSizeMax: 4096 }],
    ["-I 32m", { itemSizeMax: 32 * 1024 * 1024 }],
    [
      "-c 10 -R 5 -n 96 -f 2 -D /",
      {
        maxConnections: 10,
        requestsPerEvent: 5,
        chunkSize: 96,
        growthFactor: 2,
        prefixDelimiter: "/",
      },
    ],
    ["-B binary", { protocol: "binary" }],
    ["-o idle_timeout=7,track_sizes -o hashpower=20,modern", { idleTimeout: 7, trackSizes: true }],
    ["-u nobody -t 4 -b 2048 -vv", { port: 11211 }],
    ["--compat 1.6.18", { compat: "1.6.18" }],
    ["--cluster a:1,b|10.0.0.2|2", { cluster: ["a:1", "b|10.0.0.2|2"] }],
    ["--port -1 --udp-port -1", { port: 0, udpPort: 0 }],
    [`-Y ${users}`, { asciiAuth: { user: "pass:word", other: "x" } }],
    [
      `-Z -o ssl_chain_cert=${certificate},ssl_verify_mode=2,ssl_min_version=3`,
      {
        tls: {
          cert: "PEM",
          key: "PEM",
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: "TLSv1.3",
        },
      },
    ],
  ])("%s", (line, options) => {
    expect(read(line).server).toMatchObject(options);
  });

  it("finds the users of SASL where memcached does", () => {
    expect(read("-S", { MEMCACHED_SASL_PWDB: users }).server.sasl).toHaveProperty("other", "x");
  });

  it("says what is only to be shown", () => {
    expect([read("-h").show, read("-V").show, read("").show]).toEqual([
      "help",
      "version",
      undefined,
    ]);
    expect(read("-P /tmp/pid -a 700")).toMatchObject({ pidFile: "/tmp/pid", socketMode: 0o700 });
  });

  it.each([
    ["-d", "-d is not possible here: it does not go into the background"],
    ["-k", "-k is not possible here: it cannot lock the memory"],
    ["--nosuch", "Unknown option '--nosuch'; -h lists the options"],
    ["-p 70000", "-p must be a number between 0 and 65535, not 70000"],
    ["-m x", "-m must be a number"],
    ["-t 0", "-t must be a number between 1 and"],
    ["-p 0", "-p 0 turns TCP off and needs -s here; -p -1 takes a free port"],
    ["-I 33554433", "-I must not be more than half of the memory (-m)"],
    ["-I 256m", "-I must not be more than half of the memory (-m)"],
    ["-I 1g", "-I must be a size such as 512k or 2m, not 1g"],
    ["-B udp", "-B udp is unknown; use auto, ascii or binary"],
    ["-l a,b", "-l takes one address here; start a server for each"],
    ["-a 9", "-a must be octal, not 9"],
    ["-o nosuch", "-o nosuch is unknown"],
    ["-o ext_path=/x:1", "-o ext_path is not possible here: items are kept in memory alone"],
    ["-o proxy_config=x", "-o proxy_config is not possible here: it is not a proxy"],
    ["-o no_maxconns_fast", "-o no_maxconns_fast is not possible here"],
    ["-o idle_timeout=x", "-o idle_timeout must be a number of seconds, not x"],
    ["-o idle_timeout=-1", "-o idle_timeout must be a number of seconds, not -1"],
    ["-o idle_timeout=1.5", "-o idle_timeout must be a number of seconds, not 1.5"],
    ["-o idle_timeout", "-o idle_timeout must be a number of seconds"],
    ["-o ssl_min_version=9", "-o ssl_min_version must be 0 to 3, not 9"],
    ["-o ssl_verify_mode=3", "-o ssl_verify_mode must be 0 to 2, not 3"],
    ["constructor", "Unexpected argument 'constructor'"],
    ["-o ssl_nosuch=1", "-o ssl_nosuch is unknown"],
    ["-S", "-S needs a file of lines user:password, named in MEMCACHED_SASL_PWDB"],
    ["-Z", "-Z needs a certificate"],
    ["-Y /nosuch", "/nosuch cannot be read"],
    [`-Y ${certificate}`, "has no line user:password"],
    ["--cluster a:1,b", "--cluster takes host:port,host:port,…, and b is not one"],
    ["surplus", "Unexpected argument 'surplus'"],
  ])("refuses %s with a reason", (line, message) => {
    expect(() => read(line)).toThrow(OptionError);
    expect(() => read(line)).toThrow(message);
  });
});
