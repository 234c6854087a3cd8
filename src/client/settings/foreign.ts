/** What other clients call what this one has elsewhere, or does by itself. */
const HINTS = {
  "retries maxRetries": "what can be repeated goes out once more by itself",
  "poolSize maxConnections":
    "one connection to a server serves all calls, and connections gives more",
  "logger log": 'listen with on("health", …)',
  "expires lifetime": "give each call its ttl",
  "failures failoverTime": "set behaviors: { failure_limit, dead_timeout }",
  algorithm: "set behaviors: { hash }",
  "remove failOverServers": "set failover",
  keyCompression: "set hashLongKeys",
  "conntimeout cmdTimeout": "set connectTimeoutMs or timeoutMs, in milliseconds",
  "min_compress_len compress_level": "set compress: { minLength, level }",
  "server servers host port": "servers stand before the options",
  "keepAlive noDelay": "set socket: { keepAlive, noDelay }",
  "ca cert key rejectUnauthorized": "set tls: { ca, … }",
};

/** What to do in the place of an option of another client. */
export const foreignOptions: ReadonlyMap<string, string> = new Map(
  Object.entries(HINTS).flatMap(([names, hint]) =>
    names.split(" ").map((name) => [name, hint] as const),
  ),
);
