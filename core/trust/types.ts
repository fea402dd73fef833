import type { TrustAnchor } from "../identity/types.ts";

/**
 * The word of two CAs on one succeeding the other, signed by both: whoever believes either one can check it, and trusts nobody else for
 * it. The highest serial a node has seen counts.
 */
export interface CaRoll {
  readonly network: string;
  /** From 1, one more with each word. */
  readonly serial: number;
  /** `overlap`: the certificates of both count. `finished`: those of the old one no longer do. */
  readonly stage: "overlap" | "finished";
  /** Milliseconds since the epoch, for people. */
  readonly issuedAt: number;
}

/** A roll that both CAs have signed, with the bytes that prove it. Only `verifyRoll()` makes one. */
export interface SignedRoll {
  readonly roll: CaRoll;
  readonly from: TrustAnchor;
  readonly to: TrustAnchor;
  /** Passed on and kept unchanged. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes, hex. */
  readonly hash: string;
}
