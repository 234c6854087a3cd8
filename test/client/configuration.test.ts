import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkConfiguration,
  parseConfiguration,
} from "../../src/client/configuration/configuration.js";
import { parseServerList } from "../../src/client/servers/serverlist.js";
import { OptionError } from "../../src/errors.js";
import { runPython } from "../support/python.js";

const tcp = (host: string, port = 11211, weight = 1) => ({ host, port, weight });

describe("a configuration string", () => {
  it.each([
    ["--server=localhost", tcp("localhost")],
    ["--server=10.0.2.1:20", tcp("10.0.2.1", 20)],
    ["--SERVER=example.com:1024/?30", tcp("example.com", 1024, 30)],
    ["--Server=example.com/?10", tcp("example.com", 11211, 10)],
    ["--SOCKET=/tmp/mc.sock", tcp("/tmp/mc.sock", 0)],
    ['--SOCKET="/tmp/my sock"/?3', tcp("/tmp/my sock", 0, 3)],
    ["--SERVER=[::1]:11212/?2", tcp("::1", 11212, 2)],
    ["--SERVER=a", tcp("a")],
    ["--SERVER=cache.example.com.:80", tcp("cache.example.com.", 80)],
  ])("names a server: %s", (text, server) => {
    expect(parseConfiguration(text).servers).toEqual([server]);
  });

  it.each([
    ["--CONNECT-TIMEOUT=456", { connect_timeout: 456 }],
    ["--IO-BYTES-WATERMARK=456", { _io_bytes_watermark: 456 }],
    ["--IO-KEY-PREFETCH=456", { _io_key_prefetch: 456 }],
    ["--IO-MSG-WATERMARK=456", { _io_msg_watermark: 456 }],
    ["--NUMBER-OF-REPLICAS=2", { num_replicas: 2 }],
    ["--POLL-TIMEOUT=456", { _poll_timeout: 456 }],
    ["--RCV-TIMEOUT=456", { receive_timeout: 456 }],
    ["--REMOVE-FAILED-SERVERS=3", { remove_failed: 3 }],
    ["--REMOVE_FAILED_SERVERS=1", { remove_failed: 1 }],
    ["--SERVER-FAILURE-LIMIT=4", { failure_limit: 4 }],
    ["--RETRY-TIMEOUT=456", { retry_timeout: 456 }],
    ["--SND-TIMEOUT=456", { send_timeout: 456 }],
    ["--SOCKET-RECV-SIZE=456", { _socket_recv_size: 456 }],
    ["--SOCKET-SEND-SIZE=456", { _socket_send_size: 456 }],
    ["--BUFFER-REQUESTS", { buffer_requests: true }],
    ["--HASH-WITH-NAMESPACE", { _hash_with_prefix_key: true }],
    ["--NOREPLY", { _noreply: true }],
    ["--SORT-HOSTS", { _sort_hosts: true }],
    ["--SUPPORT-CAS", { cas: true }],
    ["--TCP-NODELAY", { tcp_nodelay: true }],
    ["--TCP-KEEPALIVE", { tcp_keepalive: true }],
    ["--VERIFY-KEY", { verify_keys: true }],
    ["--DISTRIBUTION=consistent", { distribution: "consistent" }],
    ["--DISTRIBUTION=consistent,CRC", { distribution: "consistent", ketama_hash: "crc" }],
    ["--DISTRIBUTION=random", { distribution: "random" }],
    ["--DISTRIBUTION=MODULA", { distribution: "modula" }],
    ["--HASH=FNV1A_32", { hash: "fnv1a_32" }],
    ["--hash=md5", { hash: "md5" }],
    ["--NAMESPACE=foo", { namespace: "foo" }],
    ['--NAMESPACE="The quick brown fox"', { namespace: "The quick brown fox" }],
    ['--NAMESPACE="a\\"b"', { namespace: 'a\\"b' }],
  ])("sets a behavior: %s", (text, behaviors) => {
    expect(parseConfiguration(text).behaviors).toEqual(behaviors);
  });

  it("holds many servers and options, comments and lines", () => {
    const text = [
      "# the cache of the shop",
      "--SERVER=10.0.0.1:11211/?2 --SERVER=10.0.0.2",
      "\t--BINARY-PROTOCOL\r",
      "  # --NOREPLY",
      "--POOL-MIN=2 --POOL-MAX=16 --USE-UDP --FETCH-VERSION --USER-DATA",
      "END",
      "--SERVER=never.example",
    ].join("\n");
    expect(parseConfiguration(text)).toEqual({
      servers: [tcp("10.0.0.1", 11211, 2), tcp("10.0.0.2")],
      behaviors: {},
      binary: true,
      udp: true,
      randomReads: false,
      poolMin: 2,
      poolMax: 16,
      ignored: ["--FETCH-VERSION", "--USER-DATA"],
    });
  });

  it("says whether copies are read at random", () => {
    expect(parseConfiguration("--RANDOMIZE-REPLICA-READ").randomReads).toBe(true);
  });

  it("is forgotten up to RESET", () => {
    const { servers, behaviors } = parseConfiguration("--SERVER=abc --NOREPLY RESET --SERVER=def");
    expect(servers).toEqual([tcp("def")]);
    expect(behaviors).toEqual({});
  });

  it("may come from the environment, if there is none in the call", () => {
    const environment = { LIBMEMCACHED: "--SERVER=env.example" };
    expect(parseConfiguration(" ", { environment }).servers).toEqual([tcp("env.example")]);
    expect(parseConfiguration("--SERVER=abc", { environment }).servers).toEqual([tcp("abc")]);
    expect(parseConfiguration("", {}).servers).toEqual([]);
  });
});

describe("files", () => {
  const files: Readonly<Record<string, string>> = {
    "/etc/more": "--SERVER=more.example\nINCLUDE /etc/last\n--NOREPLY",
    "/etc/last": "--SERVER=last.example END --SERVER=never.example",
    "/etc/self": "--SERVER=abc\nINCLUDE /etc/self",
    "/etc/bad": "--SERVER=abc\n  --BAD",
  };
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  };

  it("are included where they stand", () => {
    const { servers, behaviors } = parseConfiguration('INCLUDE "/etc/more" --SERVER=own.example', {
      read,
    });
    expect(servers.map(({ host }) => host)).toEqual([
      "more.example",
      "last.example",
      "own.example",
    ]);
    expect(behaviors).toEqual({ _noreply: true });
  });

  it("come last with --CONFIGURE-FILE", () => {
    const { servers } = parseConfiguration("--CONFIGURE-FILE=/etc/last --SERVER=own.example", {
      read,
    });
    expect(servers.map(({ host }) => host)).toEqual(["own.example", "last.example"]);
  });

  it.each([
    ["INCLUDE /etc/none", /line 1, column 9: "\/etc\/none" cannot be read/],
    ["INCLUDE /etc/self", /line 2, column 9 of \/etc\/self: "\/etc\/self" includes itself/],
    ["INCLUDE /etc/bad", /line 2, column 3 of \/etc\/bad: "--BAD" is an unknown option/],
    ["INCLUDE", /"INCLUDE" needs a file after it/],
  ])("that fail are named with their place: %s", (text, message) => {
    expect(checkConfiguration(text, { read })?.message).toMatch(message);
  });

  it("are not read where nothing reads them", () => {
    expect(checkConfiguration("INCLUDE /etc/more")?.message).toMatch(/no files are read here/);
  });
});

describe("a mistake is named with its place", () => {
  it.each([
    ["-servers=localhost:11221", 'column 1: "-servers=localhost:11221" is not an option'],
    ["--NOREPLY -- servers=a.example.com:81", 'column 11: "--" is not an option'],
    ["--servers=localhost:+80", "is an unknown option"],
    ["--SERVER=abc\n\n--HASHES=MD5", 'line 3, column 1: "--HASHES" is an unknown option'],
    ["--SERVER=localhost:+80", 'column 10: "localhost:+80" is not a server'],
    ["--SERVER=localhost:80000", "has a port over 65535"],
    ["--SERVER=[::z]", "is not a server"],
    ["--SERVER", "needs a value after ="],
    ["--SERVER=", "needs a value after ="],
    ["--SOCKET=/?2", "is not a path"],
    ["--HASH=SHA1", 'column 8: "SHA1" is none of MD5, CRC'],
    ["--DISTRIBUTION=consistent,SHA1", 'column 27: "SHA1" is none of MD5'],
    ["--DISTRIBUTION=ketama", '"ketama" is none of CONSISTENT, MODULA, RANDOM'],
    ["--POLL-TIMEOUT=1.5", 'column 16: "1.5" is not a whole number'],
    ["--POLL-TIMEOUT=99999999999999999999", "is not a whole number"],
    ["--NOREPLY=1", "takes no value"],
    ["--HASH=MD5 --HASH=CRC", 'column 19: "CRC" is a second hash'],
    ["--NAMESPACE=foo --NAMESPACE=bar", "is a second namespace"],
    ['--NAMESPACE="foo', "has a string that does not end"],
    ["ERROR", '"ERROR" was called'],
  ])("%s", (text, message) => {
    const problem = checkConfiguration(text);
    expect(problem).toBeInstanceOf(OptionError);
    expect(problem?.message).toContain(message);
  });

  it("and never with anything but an OptionError", () => {
    const pieces = fc.array(
      fc.oneof(
        fc.constantFrom(
          "--SERVER=",
          "--HASH=",
          "--",
          "=",
          '"',
          "#",
          "\n",
          " ",
          "INCLUDE",
          "/?",
          ":",
        ),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const problem = checkConfiguration(parts.join(""));
        expect(problem === undefined || problem instanceof OptionError).toBe(true);
      }),
    );
  });
});

describe("a server list", () => {
  it("has ports and weights", () => {
    expect(
      parseServerList("a, b:11212,c:11213:5, d:1 7,[::1]:2:3,[fe80::1], /run/mc.sock"),
    ).toEqual([
      tcp("a"),
      tcp("b", 11212),
      tcp("c", 11213, 5),
      tcp("d", 1, 7),
      tcp("::1", 2, 3),
      tcp("fe80::1"),
      tcp("/run/mc.sock", 0),
    ]);
    expect(parseServerList("")).toEqual([]);
  });

  it.each([
    ["a,b:x", 'column 3: "b:x" is not a server'],
    ["a,,b", 'column 3: "" is not a server'],
    ["a,", 'column 3: "" is not a server'],
    ["a:1,\n b:70000", 'line 2, column 2: "b:70000" has a port over 65535'],
    ["[nonsense]:1", "is not a server"],
  ])("names a mistake with its place: %s", (text, message) => {
    expect(() => parseServerList(text)).toThrow(OptionError);
    expect(() => parseServerList(text)).toThrow(message);
  });
});

describe("libmemcached's own parser", () => {
  const texts = {
    accepted: [
      "--SERVER=localhost",
      "--SERVER=example.com:1024/?30 --SERVER=10.0.2.1:30/?40",
      '--SOCKET="/tmp/mc.sock" --NOREPLY',
      "--SERVER=localhost --DISTRIBUTION=consistent,MD5 --HASH=CRC",
      "--SERVER=localhost --NAMESPACE=foo --HASH-WITH-NAMESPACE --SORT-HOSTS",
      "--SERVER=localhost --POLL-TIMEOUT=5 --CONNECT-TIMEOUT=6 --TCP-KEEPIDLE",
      "--SERVER=localhost --POOL-MIN=1 --POOL-MAX=2 --FETCH-VERSION --USER-DATA",
      "--server=localhost END",
      "# comment\n",
    ],
    refused: [
      "-servers=localhost",
      "--SERVERS=localhost",
      "--SERVER=localhost:+80",
      "--SERVER=localhost --HASH=MD5 --HASH=CRC",
      "--SERVER=localhost --HASH=SHA1",
      "--SERVER=localhost --DISTRIBUTION=ketama",
      "--SERVER=localhost --NAMESPACE=foo --NAMESPACE=bar",
      "CSL_ERROR",
    ],
  };

  it("accepts and refuses the same", async () => {
    const script = `
      import ctypes
      lib = ctypes.CDLL("libmemcached.so.11")
      message = ctypes.create_string_buffer(1024)
      def check(text):
          return lib.libmemcached_check_configuration(text.encode(), ctypes.c_size_t(len(text)), message, ctypes.c_size_t(1024)) == 0
      output = [check(text) for text in input]
    `;
    const all = [...texts.accepted, ...texts.refused];
    const verdicts = await runPython<boolean[]>(script, all);
    for (const [i, text] of all.entries()) {
      expect(verdicts[i], text).toBe(i < texts.accepted.length);
      expect(checkConfiguration(text) === undefined, text).toBe(verdicts[i]);
    }
  });
});
