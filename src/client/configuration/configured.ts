import { OptionError } from "../../errors.js";
import { checkBehaviors, mergeBehaviors } from "../behaviors/rules.js";
import { type Servers, serverOptions } from "../servers/servers.js";
import { type ClientOptions, checkClientOptions } from "../settings/configure.js";
import { warnOnce } from "../warning.js";
import { type ConfigurationSources, parseConfiguration } from "./configuration.js";

/**
 * What a client is made of that a configuration string describes.
 * @throws OptionError for what the string gets wrong, or this version cannot do
 */
export function configured<Value>(
  text: string,
  options: ClientOptions<Value>,
  sources: ConfigurationSources | undefined,
): [servers: Servers, options: ClientOptions<Value>] {
  checkClientOptions(options);
  const { behaviors: own = {} } = options;
  const { servers, behaviors, binary, udp, randomReads, ignored, poolMin, poolMax } =
    parseConfiguration(text, sources);
  if (udp) throw new OptionError('--USE-UDP is not taken; give servers as "udp:host:port" instead');
  for (const option of ignored) warnOnce(`The configuration's ${option}`, "has no effect");
  if (poolMin !== undefined || poolMax !== undefined) {
    warnOnce(
      "The configuration's --POOL-MIN and --POOL-MAX",
      "say nothing to one client; fill a ClientPool",
    );
  }
  return [
    servers.map(serverOptions),
    {
      ...options,
      binary: options.binary ?? binary,
      randomizeReplicaRead: options.randomizeReplicaRead ?? randomReads,
      behaviors: mergeBehaviors(checkBehaviors(behaviors), checkBehaviors(own)),
    },
  ];
}
