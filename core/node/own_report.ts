import type { SelfReport } from "../gossip/types.ts";
import { version } from "../version.ts";
import type { LinkManager } from "./link_manager.ts";
import type { NodeOptions } from "./node_options.ts";
import type { ProbeDriver } from "./probe_driver.ts";

/** What a node tells the mesh of itself now. */
export function ownReport(
  { capabilities, services, exit }: Pick<NodeOptions, "capabilities" | "services" | "exit">,
  addresses: readonly string[],
  links: Pick<LinkManager, "peers" | "primary">,
  probes: Pick<ProbeDriver, "measure">,
): SelfReport {
  return {
    addresses,
    version,
    capabilities,
    services: services ?? [],
    exitCidrs: exit?.cidrs ?? [],
    // A link nobody has measured yet is no way anywhere.
    links: links.peers().flatMap((peer) => {
      const link = links.primary(peer);
      const measure = link && probes.measure(link);
      return measure === undefined ? [] : [{ peer, ...measure }];
    }),
  };
}
