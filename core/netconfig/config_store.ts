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

/**
 * Two of what there should be one of: their signer made a mistake, has a double, or has forgotten something. `config`, `grant`: two with
 * one number. `parent`: a config that does not continue the one it follows here, but another with its number. `role`: a config this node
 * published while the CA had made another node the scribe.
 */
export interface Fork {
  readonly what: "config" | "grant" | "parent" | "role";
  readonly position: ConfigPosition;
  /** Hashes: the one that holds or held here, and the other. */
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

/** Hashes of configs that were in force here, and of their doubles; the oldest are forgotten. */
const maxRemembered = 1_024;

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
  /** By position, since this node started; the oldest first. */
  readonly #past = new Map<string, string>();
  /** Hashes of doubles that have been told, so that the next version ends the matter. */
  readonly #doubles = new Set<string>();

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
    // The config first: what was in force stays in force, though the CA may have granted a later epoch since.
    const config = stored.config === undefined ? nothing : this.#offer(stored.config);
    const grant = stored.grant === undefined ? nothing : this.offerGrant(stored.grant);
    this.#floor = stored.floor ?? noPosition;
    this.#rolledBack = comparePositions(this.position, this.#floor) < 0;
    return {
      grant: grant.grant || config.grant,
      config: config.config,
      error: config.error ?? grant.error,
    };
  }

  /** Whether this node has had another config with this number, in the epoch that has not ended. */
  contradicts(position: ConfigPosition, hash: string): boolean {
    if (position.epoch !== this.#grant?.grant.epoch) return false;
    const past = this.#past.get(positionText(position));
    return past !== undefined && past !== hash && !this.#doubles.has(hash);
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
        this.#fork = this.#forkAfter(config);
        this.#config = config;
        this.#refused = null;
        this.#rememberPast(config);
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
      this.#checkRole(grant);
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
      if (this.contradicts(document, hash)) {
        return this.#forked("config", document, this.#past.get(at)!, hash);
      }
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

  /** What there is to tell once this config is in force. */
  #forkAfter({ document }: SignedConfig): Fork | null {
    const held = this.#config;
    const { epoch, version, parent, author } = document;
    const next = held?.document.epoch === epoch && held.document.version + 1 === version;
    if (next && parent !== null && parent !== held.hash) {
      const { epoch, version } = held.document;
      return { what: "parent", position: { epoch, version }, kept: held.hash, other: parent };
    }
    // That a change of this node's own was lost stays told until the node is asked for changes again.
    return this.#fork?.what === "role" && author !== this.#self ? this.#fork : null;
  }

  /** The CA has made another node the scribe, on top of what there was before this node's last change. */
  #checkRole({ grant: { scribe, base, epoch } }: SignedGrant): void {
    const held = this.#config;
    if (held === null || held.document.author !== this.#self || scribe === this.#self) return;
    const order = comparePositions(held.document, base ?? noPosition);
    if (held.document.epoch >= epoch || order <= 0) return;
    const position = { epoch: held.document.epoch, version: held.document.version };
    this.#fork = { what: "role", position, kept: base?.hash ?? "", other: held.hash };
  }

  #rememberPast({ document, hash }: SignedConfig): void {
    this.#past.set(positionText(document), hash);
    dropOldest(this.#past);
  }

  #forked(
    what: "config" | "grant",
    position: ConfigPosition,
    kept: string,
    other: string,
  ): NetConfigError {
    const at = what === "grant" ? `epoch ${position.epoch}` : positionText(position);
    const { epoch, version } = position;
    this.#doubles.add(other);
    dropOldest(this.#doubles);
    this.#fork = { what, position: { epoch, version }, kept, other };
    return new NetConfigError(
      "NETCONFIG_FORKED",
      what === "grant"
        ? `the CA has signed two different grants of ${at}; the first one stays`
        : `the scribe has signed two different network configs ${at}; the first one stays`,
      { what, at, kept, other },
    );
  }
}

function dropOldest(memory: Map<string, string> | Set<string>): void {
  const [oldest] = memory.keys();
  if (memory.size > maxRemembered && oldest !== undefined) memory.delete(oldest);
}
