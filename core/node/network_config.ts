import type { Clock } from "../clock/clock.ts";
import { errorText } from "../errors/mod.ts";
import type { Credentials, NodeId, Trust } from "../identity/mod.ts";
import {
  bodyInForce,
  type ConfigBody,
  ConfigExchange,
  type ConfigState,
  ConfigStore,
  type Draft,
  draftConfig,
  type ExchangeEffects,
  NetConfigError,
} from "../netconfig/mod.ts";
import type { LogFn, NetworkConfigNews } from "../plugin/types.ts";
import type { StoredNetworkConfig } from "./network_config_file.ts";
import { configProblems } from "./network_config_status.ts";
import { WakeTimer } from "./wake_timer.ts";

/** Where the config is kept; a node without it begins with nothing. */
export interface NetworkConfigStorage {
  readonly stored: StoredNetworkConfig;
  save(state: StoredNetworkConfig): Promise<void>;
}

export interface NetworkConfigOptions {
  readonly network: string;
  readonly self: NodeId;
  credentials(): Credentials;
  /** CAs whose word counts. */
  trust(): Trust;
  readonly storage: NetworkConfigStorage | undefined;
  readonly clock: Clock;
  readonly log: LogFn;
  send(peer: NodeId, bytes: Uint8Array): void;
  /** Another config, or another grant, is in force. */
  changed(): void;
  /** Something is wrong with the config that was not before, or is right again. */
  problems?(): void;
}

/** Gives the network config its disk, its timer and its wire. */
export class NetworkConfig implements AsyncDisposable {
  readonly #options: NetworkConfigOptions;
  readonly #store: ConfigStore;
  readonly #exchange: ConfigExchange;
  readonly #timer: WakeTimer;
  /** Writes and publications, one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #saving = false;
  /** Codes of what is wrong and has been told. */
  #told: ReadonlySet<string> = new Set();

  constructor(options: NetworkConfigOptions) {
    const { self, network, clock } = options;
    this.#options = options;
    this.#store = new ConfigStore({
      self,
      trust: () => ({ network, ...options.trust() }),
    });
    this.#exchange = new ConfigExchange(this.#store);
    this.#timer = new WakeTimer({
      now: () => clock.now(),
      nextWake: () => this.#exchange.nextWake(),
      tick: (now) => this.#apply(this.#exchange.tick(now)),
    });
    if (options.storage !== undefined) this.#restore(options.storage);
  }

  get state(): ConfigState {
    return this.#store.state;
  }

  /** What holds now. */
  get body(): ConfigBody {
    return bodyInForce(this.#store.state);
  }

  /** For the plugins. */
  get news(): NetworkConfigNews {
    const { config } = this.#store.state;
    const { epoch, version } = this.#store.position;
    return { epoch, version, hash: config?.hash ?? "" };
  }

  linkUp(peer: NodeId): void {
    this.#apply(this.#exchange.linkUp(peer, this.#now()));
  }

  linkDown(peer: NodeId): void {
    this.#apply(this.#exchange.linkDown(peer, this.#now()));
  }

  receive(peer: NodeId, bytes: Uint8Array): void {
    this.#apply(this.#exchange.receive(peer, bytes, this.#now()));
  }

  /**
   * Signs the next config and brings it into force: on the disk first, so that no crash makes this node sign another one under the
   * same number.
   * @throws {NetConfigError}
   */
  async publish(draft: Draft): Promise<void> {
    const { credentials, clock, storage } = this.#options;
    await this.#queue(async () => {
      const bytes = draftConfig(this.#store, draft, credentials(), clock.wall());
      const { epoch } = this.#store.state.grant!.grant;
      const floor = { epoch, version: this.#store.floor.version + 1 };
      try {
        await storage?.save({ grant: this.#store.state.grant?.bytes, config: bytes, floor });
      } catch (cause) {
        throw new NetConfigError(
          "NETCONFIG_STORAGE",
          `the network config cannot be saved, so nothing was published: ${errorText(cause)}`,
          {},
          cause,
        );
      }
      this.#store.publish(bytes);
    });
    this.#tellChanged();
  }

  /** A grant from the CA of this process. @throws {NetConfigError} it is not genuine, or of an epoch that has another one */
  adoptGrant(bytes: Uint8Array): void {
    const { error, grant } = this.#store.offerGrant(bytes);
    if (error !== undefined) throw error;
    if (!grant) return;
    this.#tellChanged();
    this.#saveSoon();
  }

  #restore(storage: NetworkConfigStorage): void {
    const { error } = this.#store.restore(storage.stored);
    const { log } = this.#options;
    if (error !== undefined) {
      log("error", "the stored network config is not used", {
        code: error.code,
        error: error.message,
      });
    }
    // Whoever looks at the status from now on sees it anyway.
    this.#logProblems();
  }

  #tellChanged(): void {
    this.#options.changed();
    this.#apply(this.#exchange.changed(this.#now()));
  }

  #tellProblems(): void {
    if (this.#logProblems()) this.#options.problems?.();
  }

  /** @returns whether there are others than before */
  #logProblems(): boolean {
    const problems = configProblems(this.#store.state);
    const codes = new Set(problems.map(({ code }) => code));
    if (codes.symmetricDifference(this.#told).size === 0) return false;
    for (const { code, text } of problems) {
      if (!this.#told.has(code)) this.#options.log("error", text, { code });
    }
    this.#told = codes;
    return true;
  }

  #apply({ messages, news }: ExchangeEffects): void {
    const { log, send } = this.#options;
    for (const { peer, bytes } of messages) send(peer, bytes);
    let changed = false;
    for (const item of news) {
      if (item.type === "refused") {
        const { code, message } = item.error;
        log("warn", "a network config was refused", { peer: item.peer, code, error: message });
      } else changed = true;
    }
    if (changed) {
      const { epoch, version } = this.#store.position;
      log("info", "the network config has changed", { epoch, version });
      this.#options.changed();
      this.#saveSoon();
    }
    this.#tellProblems();
    this.#timer.update();
  }

  /** What is newest when its turn comes. A disk that refuses costs the next start its head start, and nothing now. */
  #saveSoon(): void {
    const { storage, log } = this.#options;
    if (storage === undefined || this.#saving) return;
    this.#saving = true;
    this.#queue(async () => {
      this.#saving = false;
      const { grant, config } = this.#store.state;
      const { epoch, version } = this.#store.floor;
      const floor = { epoch, version };
      await storage.save({ grant: grant?.bytes, config: config?.bytes, floor });
    }).catch((error: unknown) => {
      log("warn", "the network config could not be saved", { error: errorText(error) });
    });
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {/* told to whoever asked for it */});
    return done;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    await this.#work;
  }
}
