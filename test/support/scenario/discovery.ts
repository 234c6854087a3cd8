import { elasticache } from "tslibmc/discovery";
import { MemcachedServer } from "tslibmc/testing";
import { type Fault, Servers, stageOf } from "./stage.js";

/** Clients ask so often that many of their questions meet nobody. */
const INTERVAL_MS = 100;

export const undiscoverable: Fault = {
  name: "discovery endpoint gone",
  shows: "nothing",
  empties: false,
  async stage() {
    const servers = await Servers.start();
    const endpoint = await MemcachedServer.start({ cluster: servers.addresses });
    const begin = async () => {
      endpoint.refuse();
      endpoint.disconnectAll("reset");
    };
    const source = elasticache(endpoint.address, { intervalMs: INTERVAL_MS });
    const end = async () => {
      await endpoint.listen();
      await endpoint.log.next("config");
    };
    return stageOf(servers, { source, begin, end }, endpoint);
  },
};
