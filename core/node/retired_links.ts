import type { NodeCertificate, NodeId, Trust } from "../identity/types.ts";

/** Time for records under the new CA to arrive; whoever has shown none by then is cut off. */
const graceMs = 10_000;

export interface RetiredLinksOptions {
  trust(): Trust;
  /** Peers linked now, with the certificate each showed when its link came up. */
  linked(): Iterable<{ readonly peer: NodeId; readonly shown: NodeCertificate }>;
  /** What gossip holds of a node: a certificate that counts, or nothing. */
  current(peer: NodeId): NodeCertificate | undefined;
  drop(peer: NodeId): void;
}

/**
 * Ends the links of peers that have proven themselves to a retired CA alone. A link that came up under the old CA lives on when its
 * peer has a certificate of the new one since: the node, and its key, are the same.
 */
export class RetiredLinks implements Disposable {
  readonly #options: RetiredLinksOptions;
  readonly #graceMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param grace how long after `schedule()`, ms */
  constructor(options: RetiredLinksOptions, grace = graceMs) {
    this.#options = options;
    this.#graceMs = grace;
  }

  /** A CA has been retired. */
  schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#cut(), this.#graceMs);
  }

  #cut(): void {
    const { trust, linked, current, drop } = this.#options;
    const retired = new Set(trust().retired.map(({ fingerprint }) => fingerprint));
    for (const { peer, shown } of linked()) {
      if (retired.has(shown.issuer) && current(peer) === undefined) drop(peer);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
