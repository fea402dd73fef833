import type { GossipRecord } from "../gossip/types.ts";
import { PulseError } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { GraphLink } from "../router/types.ts";

/** The links all records report, as the router wants them. */
export function* reportedLinks(records: Iterable<GossipRecord>): Generator<GraphLink> {
  for (const record of records) {
    for (const link of record.report.links) {
      yield { from: record.id, to: link.peer, latencyMs: link.latencyMs, loss: link.loss };
    }
  }
}

/** A prefix shorter than this names too little to be meant. */
const minPrefix = 4;

/**
 * The node a user's text names: its name, its id, a unique prefix of at least four characters, with or without `.pulse`.
 * @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS
 */
export function findNode(
  text: string,
  known: Iterable<NodeId>,
  names: ReadonlyMap<string, NodeId> = new Map(),
): NodeId {
  const wanted = text.toLowerCase().replace(/\.pulse\.?$/, "");
  // A name never looks like an id: neither can hide the other.
  const named = names.get(wanted);
  if (named !== undefined) return named;
  if (!/^[0-9a-f]{4,32}$/.test(wanted)) {
    throw new PulseError(
      "NODE_UNKNOWN",
      `"${
        text.slice(0, 80)
      }" names no node; use a name, an id or its first ${minPrefix} or more characters (pulse status lists them)`,
    );
  }
  const matches = new Set<NodeId>();
  for (const id of known) {
    if (id === wanted) return id;
    if (id.startsWith(wanted)) matches.add(id);
  }
  const [match] = matches;
  if (match === undefined) {
    throw new PulseError(
      "NODE_UNKNOWN",
      `No node of this mesh has an id that begins with ${wanted}`,
    );
  }
  if (matches.size > 1) {
    throw new PulseError(
      "NODE_AMBIGUOUS",
      `${matches.size} nodes have ids that begin with ${wanted}; write more characters`,
      { matches: [...matches].slice(0, 8) },
    );
  }
  return match;
}
