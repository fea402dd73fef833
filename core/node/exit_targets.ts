import { StreamError } from "../streams/mod.ts";
import type { TargetPolicy } from "./target.ts";

/**
 * The targets of requests that ask for an exit: only addresses that the exit leads to, and never anything of this machine's
 * loopback, whatever else it lets members reach.
 */
export function exitTargets(
  targets: TargetPolicy,
  serves: (address: string) => boolean,
): TargetPolicy {
  return {
    any: targets.any,
    allowsLocalPort: () => false,
    permitted: (addresses) => {
      const served = addresses.filter(serves);
      if (served.length === 0) {
        throw new StreamError(
          "STREAM_DENIED",
          `This node does not lead to ${
            addresses.slice(0, 4).join(", ")
          }: no approved range of --exit-cidrs holds it`,
        );
      }
      return targets.permitted?.(served) ?? served;
    },
    ...(targets.opened !== undefined && { opened: targets.opened }),
  };
}
