import { setTimeout as delay } from "node:timers/promises";
import { type Fault, Servers, stageOf } from "./stage.js";

export const killed: Fault = {
  name: "killed",
  shows: "loss",
  empties: true,
  async stage() {
    const servers = await Servers.start();
    return stageOf(servers, {
      begin: () => servers.victim.kill(),
      end: () => servers.victim.start(),
    });
  },
};

export const stopped: Fault = {
  name: "stopped (SIGSTOP)",
  shows: "silence",
  empties: false,
  async stage() {
    const servers = await Servers.start();
    return stageOf(servers, {
      begin: () => servers.victim.pause(),
      end: async () => servers.victim.resume(),
    });
  },
};

export const restarted: Fault = {
  name: "restarted empty",
  isBrief: true,
  shows: "loss",
  empties: true,
  async stage() {
    const servers = await Servers.start();
    return stageOf(servers, { begin: () => servers.victim.restart() });
  },
};

const FLAP_MS = 300;

export const flapping: Fault = {
  name: "flapping (300 ms up, 300 ms down)",
  shows: "loss",
  empties: true,
  flaps: true,
  async stage() {
    const servers = await Servers.start();
    let running = true;
    let flaps = Promise.resolve();
    const flap = async () => {
      while (running) {
        await servers.victim.kill();
        await delay(FLAP_MS);
        await servers.victim.start();
        await delay(FLAP_MS);
      }
    };
    return stageOf(servers, {
      async begin() {
        flaps = flap();
      },
      async end() {
        running = false;
        await flaps;
      },
    });
  },
};
