/** Modules of Node's that most programs with this package never need. */
interface Builtins {
  "node:async_hooks": typeof import("node:async_hooks");
  "node:buffer": typeof import("node:buffer");
  "node:crypto": typeof import("node:crypto");
  "node:dgram": typeof import("node:dgram");
  "node:timers/promises": typeof import("node:timers/promises");
  "node:tls": typeof import("node:tls");
  "node:util": typeof import("node:util");
  "node:v8": typeof import("node:v8");
  "node:zlib": typeof import("node:zlib");
}

/**
 * A module of Node's that is loaded when it is first asked for, since importing it takes
 * every program longer to start (docs/performance.md).
 */
export function builtin<Name extends keyof Builtins>(name: Name): () => Builtins[Name] {
  let loaded: Builtins[Name] | undefined;
  return () => (loaded ??= process.getBuiltinModule(name));
}
