/** Protocols a rule is about, as bits. */
export const protocolBit = { tcp: 1, udp: 2, icmp: 4 } as const;

/** A CIDR as the filter compares it: four words each, IPv4 in its mapped form. */
export interface Prefix {
  readonly network: readonly [number, number, number, number];
  readonly mask: readonly [number, number, number, number];
}

/** One rule of the policy, as far as it is about two given nodes. */
export interface FilterRule {
  readonly allow: boolean;
  /** Bits of `protocolBit`. */
  readonly protocols: number;
  /** From, to, from, to ...; empty for all. */
  readonly ports: readonly number[];
  /** Only for destinations outside the mesh, behind the node. */
  readonly behind?: Prefix;
}

/** The rules between two nodes in one direction, first match wins. */
export interface FilterRules {
  readonly rules: readonly FilterRule[];
  /** What holds where no rule matches. */
  readonly otherwise: boolean;
}

/** What the filter knows of one peer. */
export interface FilterPeer {
  /** Below 2^24; never used for another peer. */
  readonly index: number;
  /** Addresses its certificate binds to it, and none else may be its source... */
  readonly addresses: readonly Prefix[];
  /** ...but what lies behind it, where this node uses it as an exit. */
  readonly behind: readonly Prefix[];
  /** From it to here. */
  readonly inbound: FilterRules;
  /** From here to it. */
  readonly outbound: FilterRules;
}

/** Why a packet passes or not. */
export const filterVerdict = {
  pass: 0,
  /** The source is not the sender's. */
  source: 1,
  /** The destination is not the receiver's. */
  destination: 2,
  /** A rule, or that no rule matched. */
  policy: 3,
  /** A fragment whose first part was not allowed. */
  fragment: 4,
  /** A protocol rules say nothing of, while there are rules. */
  protocol: 5,
} as const;
export type FilterVerdict = (typeof filterVerdict)[keyof typeof filterVerdict];
