/** What other clients call what this one has elsewhere, or does by itself. */
const HINTS = {
  "retries maxRetries": "what can be repeated goes out once more by itself",
  "poolSize maxConnections": "one connection serves all calls; connections gives more",
  "logger log": 'listen with on("health", …)',
  "expires lifetime": "give each call its ttl",
  "failures failoverTime": "set behaviors: { failure_limit, dead_timeout }",
  "remove failOverServers": "set failover",
  "conntimeout cmdTimeout": "set connectTimeoutMs or timeoutMs, in milliseconds",
  "min_compress_len compress_level": "set compress: { minLength, level }",
  "server servers host port": "servers stand before the options",
  "keepAlive noDelay": "set socket: { keepAlive, noDelay }",
  "ca cert key rejectUnauthorized": "set tls: { ca, … }",
};

/** What to do in the place of an option of another client. */
export function hintFor(name: string): string | undefined {
  return Object.entries(HINTS).find(([names]) => names.split(" ").includes(name))?.[1];
}
