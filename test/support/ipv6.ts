import { networkInterfaces } from "node:os";

/** Whether this machine speaks IPv6 to itself, which many a container does not. */
export const hasIPv6: boolean = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.address === "::1");
