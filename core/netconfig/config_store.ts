import type { NodeId } from "../identity/types.ts";
import { NetConfigError } from "./errors.ts";
import { type SignedGrant, verifyGrant } from "./grant.ts";
import { comparePositions, noPosition, positionText } from "./position.ts";
import { type ConfigTrust, type SignedConfig, verifySignedConfig } from "./signed_config.ts";
import type { ConfigPosition } from "./types.ts";

/** What came of an offer. A config brings its grant along, so one offer can change both. */
export interface Offered {
  readonly config: boolean;
  readonly grant: boolean;
  /** Of a config that is genuine, whether or not it came into force. */
  readonly hash?: string;
  /** Why it did not come into force; undefined when it did, or when it is in force already. */
  readonly error: NetConfigError | undefined;
}

/** Two different configs, or two different grants, with one number: their signer made a mistake, or has a double. */
export interface Fork {
  readonly what: "config" | "grant";
  readonly position: ConfigPosition;
  /** Hashes: the one that came first and stays, and the other. */
  readonly kept: string;
  readonly other: string;
}

export interface ConfigState {
  /** In force; null before the first one. */
  readonly config: SignedConfig | null;
  /** The highest seen. */
  readonly grant: SignedGrant | null;
  /** Whether that one names this node. */
  readonly isScribe: boolean;
  /** What came last and was not taken, when that was more than old news; forgotten when a newer config comes into force. */
  readonly refused: NetConfigError | null;
  readonly fork: Fork | null;
  /** This node knew less than it once had: its disk is an old one. */
  readonly rolledBack: boolean;
}

const nothing: Offered = { config: false, grant: false, error: undefined };

/**
 * Which network config is in force here: sans I/O. Epoch and version only ever rise. While the CA has granted a higher epoch than that of
 * the config in force, no other config of the earlier epochs is taken but the one the grant vouches for.
 */
export class ConfigStore {
  readonly #self: NodeId;
  readonly #trust: () => ConfigTrust;
  #config: SignedConfig | null = null;
  #grant: SignedGrant | null = null;
  #floor: ConfigPosition = noPosition;
  #refused: NetConfigError | null = null;
  #fork: Fork | null = null;
  #rolledBack = false;

  /** @param options.trust asked each time: a renewal or a CA roll may change the anchors */
  constructor(options: { readonly self: NodeId; readonly trust: () => ConfigTrust }) {
    this.#self = options.self;
    this.#trust = options.trust;
  }

  get state(): ConfigState {
    return {
      config: this.#config,
      grant: this.#grant,
      isScribe: this.#grant?.grant.scribe === this.#self,
      refused: this.#refused,
      fork: this.#fork,
      rolledBack: this.#rolledBack,
    };
  }

  /** Of the config in force. */
  get position(): ConfigPosition {
    return this.#config?.document ?? noPosition;
  }

  /** Nothing below it is taken, and nothing is published at or below it. */
  get floor(): ConfigPosition {
    return comparePositions(this.#floor, this.position) > 0 ? this.#floor : this.position;
  }

  /** Whether the highest grant rests on a config that has not arrived here yet. */
  get awaitsBase(): boolean {
    const base = this.#grant?.grant.base ?? null;
    return base !== null && comparePositions(this.position, base) < 0;
  }

  /**
   * Where this node begins: what its disk says. It is taken even when the node once had more, because it is better than nothing, but
   * then only what reaches `floor` can follow it.
   */
  restore(stored: {
    readonly grant?: Uint8Array | undefined;
    readonly config?: Uint8Array | undefined;
    readonly floor?: ConfigPosition | undefined;
  }): Offered {
    const grant = stored.grant === undefined ? nothing : this.offerGrant(stored.grant);
    const config = stored.config === undefined ? nothing : this.#offer(stored.config);
    this.#floor = stored.floor ?? noPosition;
    this.#rolledBack = comparePositions(this.position, this.#floor) < 0;
    return {
      grant: grant.grant || config.grant,
      config: config.config,
      error: config.error ?? grant.error,
    };
  }

  /** A grant without a config. */
  offerGrant(bytes: Uint8Array): Offered {
    return this.#guarded(() => {
      const grant = this.#takeGrant(verifyGrant(bytes, this.#trust()));
      return { config: false, grant, error: undefined };
    });
  }

  /** A config somebody sent. */
  offer(bytes: Uint8Array): Offered {
    const before = this.#config;
    const offered = this.#offer(bytes);
    // Signed by this node, and news to it: it has forgotten what it did.
    if (offered.config && before !== this.#config && this.#config?.document.author === this.#self) {
      this.#rolledBack = true;
    }
    return offered;
  }

  /** A config this node has just signed. @throws {NetConfigError} it does not come into force here */
  publish(bytes: Uint8Array): void {
    const { config, error } = this.#offer(bytes);
    if (error !== undefined) throw error;
    if (config) this.#rolledBack = false;
  }

  #offer(bytes: Uint8Array): Offered {
    return this.#guarded(() => {
      const config = verifySignedConfig(bytes, this.#trust(), this.#grant?.grant.base?.hash);
      const grant = config.grant !== null && this.#takeGrant(config.grant);
      const error = this.#whyNot(config);
      if (error === undefined && config.hash !== this.#config?.hash) {
        this.#config = config;
        this.#refused = null;
        this.#fork = null;
        if (comparePositions(this.#floor, config.document) <= 0) this.#floor = noPosition;
        return { config: true, grant, hash: config.hash, error };
      }
      if (error !== undefined && error.code !== "NETCONFIG_OLD") this.#refused = error;
      return { config: false, grant, hash: config.hash, error };
    });
  }

  #guarded(work: () => Offered): Offered {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NetConfigError)) throw error;
      // Of somebody who does not know yet that the CA was rolled: no reason to worry anybody.
      if (error.code !== "NETCONFIG_RETIRED") this.#refused = error;
      return { config: false, grant: false, error };
    }
  }

  /** @returns whether it is news @throws {NetConfigError} NETCONFIG_FORKED */
  #takeGrant(grant: SignedGrant): boolean {
    const held = this.#grant;
    const epoch = grant.grant.epoch;
    if (held === null || epoch > held.grant.epoch) {
      this.#grant = grant;
      return true;
    }
    if (epoch === held.grant.epoch && grant.hash !== held.hash) {
      throw this.#forked("grant", { epoch, version: 0 }, held.hash, grant.hash);
    }
    return false;
  }

  #whyNot({ document, hash }: SignedConfig): NetConfigError | undefined {
    const held = this.#config;
    if (hash === held?.hash) return undefined;
    const grant = this.#grant!.grant;
    const vouched = hash === grant.base?.hash;
    const at = positionText(document);
    const order = comparePositions(document, this.position);
    if (order < 0) {
      return new NetConfigError(
        "NETCONFIG_OLD",
        `network config ${at} is older than ${positionText(this.position)}, which is in force`,
        { offered: at, current: positionText(this.position) },
      );
    }
    // Between two with one number the CA's word decides, where there is one.
    if (order === 0 && held !== null && !vouched) {
      return this.#forked("config", document, held.hash, hash);
    }
    if (document.epoch < grant.epoch && !vouched) {
      return new NetConfigError(
        "NETCONFIG_SUPERSEDED",
        `network config ${at} is of an epoch that has ended: the CA has granted epoch ${grant.epoch} to ${
          grant.scribe ?? "nobody"
        }`,
        { offered: at, epoch: grant.epoch },
      );
    }
    if (comparePositions(document, this.#floor) < 0 && !vouched) {
      return new NetConfigError(
        "NETCONFIG_ROLLBACK",
        `network config ${at} is older than ${positionText(this.#floor)}, which this node had`,
        { offered: at, had: positionText(this.#floor) },
      );
    }
    return undefined;
  }

  #forked(
    what: Fork["what"],
    position: ConfigPosition,
    kept: string,
    other: string,
  ): NetConfigError {
    const at = what === "grant" ? `epoch ${position.epoch}` : positionText(position);
    this.#fork = { what, position, kept, other };
    return new NetConfigError(
      "NETCONFIG_FORKED",
      what === "grant"
        ? `the CA has signed two different grants of ${at}; the first one stays`
        : `the scribe has signed two different network configs ${at}; the first one stays`,
      { what, at, kept, other },
    );
  }
}
