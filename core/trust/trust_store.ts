import type { Trust, TrustAnchor } from "../identity/types.ts";
import { TrustError } from "./errors.ts";
import { verifyRoll } from "./signed_roll.ts";
import type { SignedRoll } from "./types.ts";

/** What came of an offer. */
export interface OfferedRoll {
  readonly news: boolean;
  /** Why it was not taken; undefined when it was, or is held already. */
  readonly error: TrustError | undefined;
}

/**
 * Whose certificates count here: sans I/O. It begins with one CA and changes only by the word of the CA that counts last: so neither a
 * scribe nor a member can bring in a CA, and an old CA's key can do nothing any more once its successor is known.
 */
export class TrustStore {
  readonly #network: string;
  readonly #root: TrustAnchor;
  #held: SignedRoll | null = null;
  #trust: Trust;

  /** @param options.root the CA that issued this node's certificate */
  constructor(options: { readonly network: string; readonly root: TrustAnchor }) {
    this.#network = options.network;
    this.#root = options.root;
    this.#trust = { anchors: [options.root], retired: [] };
  }

  /** The last word; null while there was none. */
  get roll(): SignedRoll | null {
    return this.#held;
  }

  get trust(): Trust {
    return this.#trust;
  }

  /** The CA that certificates should be of. */
  get newest(): TrustAnchor {
    return this.#held?.to ?? this.#root;
  }

  /** A word from a disk or from another node. */
  offer(bytes: Uint8Array): OfferedRoll {
    try {
      const roll = verifyRoll(bytes, this.#network);
      if (roll.hash === this.#held?.hash) return { news: false, error: undefined };
      const error = this.#whyNot(roll);
      if (error === undefined) this.#take(roll);
      return { news: error === undefined, error };
    } catch (error) {
      if (!(error instanceof TrustError)) throw error;
      return { news: false, error };
    }
  }

  #take(signed: SignedRoll): void {
    const { roll, from, to } = signed;
    this.#held = signed;
    this.#trust = roll.stage === "overlap"
      ? { anchors: [to, from], retired: [] }
      : { anchors: [to], retired: [from] };
  }

  #whyNot({ roll, from, to }: SignedRoll): TrustError | undefined {
    const held = this.#held;
    const same = (a: TrustAnchor, b: TrustAnchor) => a.fingerprint === b.fingerprint;
    if (held === null) {
      if (same(from, this.#root) || same(to, this.#root)) return undefined;
      return foreign(from, this.#root);
    }
    const { serial } = held.roll;
    if (roll.serial < serial) {
      return new TrustError(
        "TRUST_OLD",
        `word ${roll.serial} on the CA roll is older than ${serial}, which is known`,
        { offered: roll.serial, held: serial },
      );
    }
    if (roll.serial === serial) {
      return new TrustError(
        "TRUST_FORKED",
        `the CAs have signed two different words ${serial} on the CA roll; the first one stays`,
        { serial },
      );
    }
    const finishes = held.roll.stage === "overlap" && roll.stage === "finished" &&
      same(from, held.from) && same(to, held.to);
    return finishes || same(from, held.to) ? undefined : foreign(from, held.to);
  }
}

function foreign(from: TrustAnchor, trusted: TrustAnchor): TrustError {
  return new TrustError(
    "TRUST_FOREIGN",
    `the CA roll begins with CA ${from.fingerprint.slice(0, 16)}..., this node believes ${
      trusted.fingerprint.slice(0, 16)
    }...`,
    { from: from.fingerprint, trusted: trusted.fingerprint },
  );
}
