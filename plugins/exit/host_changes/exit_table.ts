import {
  connectionIs,
  destinationIn,
  inputIs,
  masquerade,
  NftBatch,
  outputIs,
  sourceIn,
  type TableId,
  verdict,
} from "../../../ffi/mod.ts";
import type { ExitFilter } from "./types.ts";

/** The table of our own: a machine has one. */
export const exitTable: TableId = { family: "inet", name: "pulse-exit" };

/** Comment by which our rules in other programs' chains are found again. */
export const passComment = "pulse exit";

/** Never behind an exit, however wide its ranges are: where clouds keep their credentials, and everything of one link only. */
const linkOnly = ["169.254.0.0/16", "fe80::/10"];

/**
 * What goes from the mesh to the exit's ranges passes, and what answers it; between the mesh and elsewhere nothing does. Packets that
 * leave have the address of the interface they leave by. Everything else on this machine is left to its other tables.
 */
export function exitTableBatch({ device, ranges, mesh }: ExitFilter): NftBatch {
  const batch = new NftBatch()
    .removeTable(exitTable)
    .addTable(exitTable)
    .addChain(exitTable, { name: "forward", type: "filter", hook: "forward", priority: 0 })
    .addChain(exitTable, { name: "leave", type: "nat", hook: "postrouting", priority: 100 });
  const rule = (...parts: Uint8Array[][]) => batch.addRule(exitTable, "forward", parts.flat());
  const inbound = inputIs(device);
  rule(inbound, outputIs(device), [verdict("drop")]);
  for (const cidr of linkOnly) {
    rule(inbound, destinationIn("inet", cidr), [verdict("drop")]);
  }
  for (const cidr of ranges) {
    rule(inbound, destinationIn("inet", cidr), [verdict("accept")]);
  }
  rule(inbound, [verdict("drop")]);
  rule(outputIs(device), connectionIs("established", "related"), [verdict("accept")]);
  rule(outputIs(device), [verdict("drop")]);
  for (const cidr of mesh) {
    batch.addRule(exitTable, "leave", [
      ...sourceIn("inet", cidr),
      ...outputIs(device, "unequal"),
      masquerade(),
    ]);
  }
  return batch;
}

/** In front of all rules of a chain that would drop them, packets of the mesh pass. In words that iptables understands, too. */
export function passBatch(table: TableId, chain: string, device: string): NftBatch {
  return new NftBatch()
    .insertRule(table, chain, [...outputIs(device), verdict("accept")], passComment)
    .insertRule(table, chain, [...inputIs(device), verdict("accept")], passComment);
}
