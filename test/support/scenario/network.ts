import { FaultProxy } from "../faultproxy.js";
import { startMemcached } from "../memcached.js";
import { Namespace } from "../namespace.js";
import { type Fault, Servers, type Stage, stageOf } from "./stage.js";

/** Packets are dropped; without the right to make networks, a proxy keeps all bytes back. */
export async function blackHoled(): Promise<Fault> {
  const common = { shows: "silence", empties: false } as const;
  if (await Namespace.isPossible()) {
    return { ...common, name: "black-holed (packets dropped)", stage: cutOff };
  }
  return {
    ...common,
    name: "black-holed (by a proxy: no right to make a network namespace)",
    stage: heldBack,
  };
}

async function cutOff(): Promise<Stage> {
  const namespace = await Namespace.open();
  const { host, within } = namespace;
  const servers = await Servers.start({}, { host, within });
  return stageOf(servers, { begin: () => namespace.cut(), end: () => namespace.mend() }, namespace);
}

async function heldBack(): Promise<Stage> {
  const { servers, proxy } = await proxied();
  return stageOf(
    servers,
    {
      servers: servers.addressesWith(proxy.address),
      begin: async () => proxy.hold(),
      end: async () => proxy.release(),
    },
    proxy,
  );
}

const LATE_MS = 200;

export const slow: Fault = {
  name: `slow (${LATE_MS} ms late)`,
  shows: "nothing",
  empties: false,
  async stage() {
    const { servers, proxy } = await proxied();
    const isLate = (ms: number) => async () => {
      proxy.delayMs = ms;
    };
    return stageOf(
      servers,
      {
        servers: servers.addressesWith(proxy.address),
        begin: isLate(LATE_MS),
        end: isLate(0),
      },
      proxy,
    );
  },
};

/** Servers, and a proxy before the one that suffers. */
async function proxied(): Promise<{ servers: Servers; proxy: FaultProxy }> {
  const servers = await Servers.start();
  return { servers, proxy: await FaultProxy.start(servers.victim, Math.random) };
}

/** The name that moves; `.test` never is anybody's (RFC 6761). */
const NAME = "cache.test";

export const moved: Fault = {
  name: "moved to another address (DNS)",
  shows: "loss",
  empties: true,
  async stage() {
    const servers = await Servers.start();
    const { port, host } = servers.victim;
    const next = await startMemcached({ host: "127.0.0.2", port });
    let address = host;
    return stageOf(
      servers,
      {
        servers: servers.addressesWith(`${NAME}:${port}`),
        options: {
          socket: {
            lookup: (_name, { all }, done) => {
              if (all === true) done(null, [{ address, family: 4 }]);
              else done(null, address, 4);
            },
          },
        },
        // The name follows a while after.
        begin: () => servers.victim.kill(),
        end: async () => {
          address = next.host;
        },
      },
      next,
    );
  },
};
