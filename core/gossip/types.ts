import type { NodeCertificate, NodeId } from "../identity/types.ts";

/** One of the author's links as it sees it. Quantised, so that noise does not make news. */
export interface LinkReport {
  readonly peer: NodeId;
  /** Milliseconds, quantised. */
  readonly latencyMs: number;
  /** 0..1, quantised. */
  readonly loss: number;
}

export interface ServiceReport {
  readonly name: string;
  readonly port: number;
}

/** What a node says about itself. Everything here is the author's claim; authority comes from its certificate alone. */
export interface SelfReport {
  /** `host:port` where it can be dialled, best first; at most 8. */
  readonly addresses: readonly string[];
  /** Software version. */
  readonly version: string;
  /** What it can do (`socks`, `tun`, ...); at most 16 short labels. */
  readonly capabilities: readonly string[];
  /** At most 32. */
  readonly services: readonly ServiceReport[];
  /** CIDRs it offers to forward to; at most 32; nothing until approved. */
  readonly exitCidrs: readonly string[];
  /** At most 256. */
  readonly links: readonly LinkReport[];
}

/** A verified record: the author's report plus what was checked. */
export interface GossipRecord {
  readonly id: NodeId;
  /** Counter of the author, never a clock. Higher wins. */
  readonly sequence: number;
  readonly certificate: NodeCertificate;
  readonly report: SelfReport;
  /** Hops the record had travelled when it came here; 0 for our own. At most 16. */
  readonly hops: number;
  /** Local monotonic milliseconds of the last refresh; decides pruning, so no other clock matters. */
  readonly refreshedAt: number;
}
