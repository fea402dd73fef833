import type { NodeId, Role } from "../identity/types.ts";
import type { AclAssertion, AclRule } from "../policy/types.ts";

/**
 * The CA's word on who may sign network configs. The highest epoch a node has seen counts; granting the role to another node, or
 * taking it away, is a grant with the next epoch.
 */
export interface ScribeGrant {
  readonly network: string;
  /** From 1, one more with each grant. */
  readonly epoch: number;
  /** Null: nobody is the scribe. */
  readonly scribe: NodeId | null;
  /** X25519 public key of the CA, raw, hex: what the scribe tells the CA alone is sealed to it. */
  readonly sealKey: string;
  /** Milliseconds since the epoch, for people. */
  readonly issuedAt: number;
  /**
   * The config that was in force at the CA: the only one of an earlier epoch that may still be taken, until the new scribe
   * publishes. Null: there was none.
   */
  readonly base: ConfigPosition & { readonly hash: string } | null;
  /** The CA's IPv4 range of mesh addresses: what the first config begins with. */
  readonly meshCidr?: string | undefined;
}

/** Where a config stands in the order of all configs: by epoch, then by version. `{0, 0}` stands before the first. */
export interface ConfigPosition {
  readonly epoch: number;
  readonly version: number;
}

/** What the network is told of one node. */
export interface NodeEntry {
  /** A DNS label, unique in the network. */
  readonly name: string | null;
  readonly tags: readonly string[];
  /** Overrides of the addresses in the certificate; unique in the network. */
  readonly meshIp: string | null;
  /** Every path to this node goes through that one. */
  readonly pinnedVia: NodeId | null;
}

export interface DnsRecord {
  /** Relative to `.pulse`, lower case, without the final dot: `db`, `www.shop`. */
  readonly name: string;
  readonly type: "A" | "AAAA" | "CNAME" | "TXT" | "SRV";
  readonly value: string;
  /** Seconds. */
  readonly ttl: number;
}

export interface Revocation {
  readonly node: NodeId;
  readonly at: number;
  readonly reason: string;
}

/** A join token as the network knows it: never the token, and its key for the CA's eyes only. */
export interface TokenEntry {
  /** As `joinTokenId()` gives it, 16 hex characters. */
  readonly id: string;
  /** `joinTokenKey()` sealed to `ScribeGrant.sealKey`, base64. */
  readonly sealedKey: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** 0: any number. */
  readonly maxUses: number;
  readonly roles: readonly Role[];
  readonly tags: readonly string[];
  readonly name: string | null;
  /** A node that joined with it is removed when it was gone for so long, milliseconds; null: it stays. */
  readonly ephemeralMs: number | null;
}

export interface RouteApproval {
  /** Canonical CIDR. */
  readonly cidr: string;
  readonly via: NodeId;
}

/** What a network config says. Every list and text is bounded; `limits.ts` says how. */
export interface ConfigBody {
  /** IPv4 range of mesh addresses. */
  readonly meshCidr: string;
  readonly nodes: { readonly [id: NodeId]: NodeEntry };
  readonly dns: readonly DnsRecord[];
  readonly acls: readonly AclRule[];
  readonly aclAssertions: readonly AclAssertion[];
  readonly revoked: readonly Revocation[];
  readonly tokens: readonly TokenEntry[];
  readonly routes: readonly RouteApproval[];
  /** By tag pattern: settings of the nodes that have the tag. */
  readonly templates: { readonly [pattern: string]: { readonly [key: string]: string } };
}

/** One version of the network config. */
export interface ConfigDocument {
  readonly network: string;
  /** Of the grant its author signed it under. */
  readonly epoch: number;
  /** A counter, from 1. */
  readonly version: number;
  /** SHA-256 of the bytes of the version before, hex; null for the first. */
  readonly parent: string | null;
  readonly author: NodeId;
  /** Milliseconds since the epoch, for people: nothing is decided by it. */
  readonly createdAt: number;
  /** What was changed, for people. */
  readonly note: string;
  readonly body: ConfigBody;
}
