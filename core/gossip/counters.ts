/** What went over one link, and what was done with it. Only ever grows. */
export interface GossipCounters {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  recordsIn: number;
  recordsOut: number;
  /** Sent again because no acknowledgement came. */
  resent: number;
  /** New or changed records taken. */
  accepted: number;
  /** Records taken in which only the sequence was new. */
  refreshed: number;
  /** Already held. */
  duplicates: number;
  /** Older than what is held; the neighbour was sent the newer one. */
  older: number;
  /** Of a node pruned here, and not newer than what was pruned. */
  replayed: number;
  /** Whole messages nobody could read. */
  malformedMessages: number;
  malformedRecords: number;
  badSignatures: number;
  /** Foreign CA, wrong network, another node's, expired. */
  badCertificates: number;
  /** Two records of one author with the same sequence, both validly signed. */
  equivocations: number;
  /** The sequence jumped further than is sensible. */
  sequenceJumps: number;
  revoked: number;
  /** Refused because the table is full. */
  tableFull: number;
  /** Over a rate limit; the neighbour was told to come back. */
  deferred: number;
  /** Taken, but too far from its author to be passed on. */
  hopLimited: number;
  /** Digests and wants over their rate limit. */
  ignored: number;
}

export type GossipCounter = keyof GossipCounters;

export function newCounters(): GossipCounters {
  return {
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    recordsIn: 0,
    recordsOut: 0,
    resent: 0,
    accepted: 0,
    refreshed: 0,
    duplicates: 0,
    older: 0,
    replayed: 0,
    malformedMessages: 0,
    malformedRecords: 0,
    badSignatures: 0,
    badCertificates: 0,
    equivocations: 0,
    sequenceJumps: 0,
    revoked: 0,
    tableFull: 0,
    deferred: 0,
    hopLimited: 0,
    ignored: 0,
  };
}

export function addCounters(to: GossipCounters, from: Readonly<GossipCounters>): void {
  for (const name of Object.keys(from) as GossipCounter[]) to[name] += from[name];
}
