import type { NodeId } from "../../../core/identity/mod.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";

/** A rule as it crosses to the loop; `behind` is a CIDR. */
export interface RuleTable {
  readonly allow: boolean;
  /** Bits of `protocolBit`. */
  readonly protocols: number;
  /** From, to, from, to ...; empty for all. */
  readonly ports: readonly number[];
  readonly behind?: string;
}

export interface RulesTable {
  readonly rules: readonly RuleTable[];
  readonly otherwise: boolean;
}

/** One way to a peer's data port. */
export interface PathTable {
  /** `ip:port` of the next hop: the peer itself, or a relay. Null: over the session to `via`, as datagrams of core. */
  readonly endpoint: string | null;
  /** Next hop. */
  readonly via: NodeId;
  /** What to write as receiver index: a relay's label; 0 for the index that the peer gave its key. */
  readonly label: number;
  /** Flows are spread in proportion to it. */
  readonly weight: number;
}

/** Everything about one peer but its keys. */
export interface PeerTable {
  readonly id: NodeId;
  /** Small, and never given to another peer while the loop lives. */
  readonly index: number;
  /** Its certified addresses, as CIDRs of one address. */
  readonly addresses: readonly string[];
  /** CIDRs it is the exit for, where this node uses it as one. */
  readonly behind: readonly string[];
  readonly inbound: RulesTable;
  readonly outbound: RulesTable;
  readonly paths: readonly PathTable[];
  /** Both ends want parity. */
  readonly fec: boolean;
}

/** A path of others that leads through this node. */
export interface LabelTable {
  /** What arrives with this number... */
  readonly label: number;
  /** ...goes there... */
  readonly endpoint: string;
  /** ...with that one. */
  readonly next: number;
}

/** All tables at once: each version replaces the one before as a whole. */
export interface LoopTables {
  readonly version: number;
  readonly self: { readonly addresses: readonly string[]; readonly behind: readonly string[] };
  readonly peers: readonly PeerTable[];
  readonly labels: readonly LabelTable[];
}

/** What the loop is told. Keys have their own commands, so that tables can be replaced without touching them. */
export type LoopCommand =
  | { readonly do: "tables"; readonly tables: LoopTables }
  | { readonly do: "receive" | "seal"; readonly peer: number; readonly key: DirectionKey }
  | { readonly do: "forget"; readonly peer: number; readonly epoch: number }
  | { readonly do: "silence"; readonly peer: number }
  /** A data segment that came over a session of core. */
  | { readonly do: "segment"; readonly from: NodeId; readonly bytes: Uint8Array }
  | { readonly do: "interfaceMtu"; readonly mtu: number }
  | { readonly do: "stats" }
  | { readonly do: "stop" };

/** What the loop says. */
export type LoopEvent =
  | { readonly say: "ready" }
  /** A segment under this epoch has been authenticated for the first time. */
  | { readonly say: "heard"; readonly peer: number; readonly epoch: number }
  /** Authenticated segments come from another address than before. */
  | { readonly say: "roamed"; readonly peer: number; readonly endpoint: string }
  /** Segments sealed with the current key; said every so many. */
  | { readonly say: "sealed"; readonly peer: number; readonly segments: number }
  /** A segment for a path that has no data port. */
  | { readonly say: "segment"; readonly to: NodeId; readonly bytes: Uint8Array }
  /** The path to a peer carries segments of so many bytes at most. */
  | { readonly say: "pathMtu"; readonly peer: number; readonly bytes: number }
  /** Too many datagrams of QUIC arrive merged into ours: the port cannot be shared here. */
  | { readonly say: "portUnshareable" }
  | { readonly say: "stats"; readonly stats: LoopStats }
  | { readonly say: "failed"; readonly error: string };

/** Why something was not carried. */
export type DropReason =
  | "noPeer"
  | "noKey"
  | "noPath"
  | "unparsable"
  | "source"
  | "destination"
  | "policy"
  | "fragment"
  | "protocol"
  | "tooBig"
  | "queueFull"
  | "stranger"
  | "unknownReceiver"
  | "forged"
  | "replayed"
  | "gap"
  /** The path was congested and its sender cannot be told otherwise (RFC 6040). */
  | "congestion"
  | "interface";

export interface LoopStats {
  readonly peers: readonly {
    readonly index: number;
    readonly packetsIn: number;
    readonly packetsOut: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    /** Segments lost on the way here, and those of them that parity brought back. */
    readonly lost: number;
    readonly repaired: number;
    readonly epoch: number;
    /** Which way its packets go now. */
    readonly carrier: "fast" | "session" | "none";
  }[];
  readonly labels: readonly {
    readonly label: number;
    readonly segments: number;
    readonly bytes: number;
  }[];
  readonly drops: { readonly [reason in DropReason]?: number };
}
