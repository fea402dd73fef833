import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { Backoff } from "../sessions/dial/backoff.ts";
import { LinkRefusedError } from "../sessions/errors.ts";
import { type DialTarget, type Session, SessionCloseCode } from "../sessions/types.ts";
import { formatHostPort, type HostPort, parseHostPort } from "../address/mod.ts";
import type { Link } from "./link_manager.ts";
import type { Notifier } from "./notifier.ts";
import { TaskSet } from "../tasks/mod.ts";
import { sleep } from "./sleep.ts";

/** Peers dialled because gossip or the last run named them; in larger meshes the others are reached through relays. */
export const maxLearnedPeers = 64;
/** A learned peer whose addresses fail this often in a row is left to dial us, until gossip brings new addresses. */
const learnedGiveUp = 10;
/** The higher id of two waits, so that two nodes that learn of each other do not cross their dials. */
const politeDelayMs = 2_000;
/** QUIC is tried again on a WebSocket link after 10 s, then 20, 40 ... 300 s. */
const upgradeFirstMs = 10_000;
const upgradeMaxMs = 300_000;

export interface PeerDiallerOptions {
  readonly self: NodeId;
  readonly random: () => number;
  /** QUIC raced by WebSocket. */
  dial(target: DialTarget, signal: AbortSignal): Promise<Session>;
  /** QUIC alone; undefined where QUIC is off. */
  readonly dialQuic: ((target: DialTarget, signal: AbortSignal) => Promise<Session>) | undefined;
  link(peer: NodeId): Link | undefined;
  /** Fires whenever a link comes up, changes or goes. */
  readonly changed: Notifier;
  onSession(session: Session): void;
  /** A dial failed; the next one waits for what comes of it. */
  onFailure(address: HostPort, error: unknown, signal: AbortSignal): Promise<void>;
  readonly log: LogFn;
}

/** Keeps links up: redials configured addresses for ever and learned peers while it makes sense. */
export class PeerDialler implements AsyncDisposable {
  readonly #options: PeerDiallerOptions;
  readonly #stop = new AbortController();
  readonly #tasks: TaskSet;
  readonly #learned = new Map<NodeId, readonly string[]>();
  readonly #dialling = new Set<NodeId>();
  readonly #upgrading = new Set<NodeId>();
  /** By address: why, and who is known to answer there. */
  readonly #failures = new Map<string, { readonly why: string; readonly owner?: NodeId }>();

  constructor(options: PeerDiallerOptions) {
    this.#options = options;
    this.#tasks = new TaskSet((error) => {
      options.log("error", "dial task failed", { error: errorText(error) });
    });
  }

  /** Keeps a link to whoever answers at this address. */
  configured(address: HostPort): void {
    this.#tasks.add(this.#keepAddress(address));
  }

  /** Configured addresses whose last dial failed, and why; not those whose node is linked by now in another way. */
  get failures(): ReadonlyMap<string, string> {
    const lasting = [...this.#failures].filter(([, { owner }]) =>
      owner === undefined || this.#options.link(owner) === undefined
    );
    return new Map(lasting.map(([where, { why }]) => [where, why]));
  }

  /** Gossip or the last run named this peer and where it may be dialled. */
  learned(id: NodeId, addresses: readonly string[]): void {
    if (id === this.#options.self || addresses.length === 0) {
      this.#learned.delete(id);
      return;
    }
    const known = this.#learned.get(id);
    if (known === undefined && this.#learned.size >= maxLearnedPeers) return;
    this.#learned.set(id, addresses);
    if (this.#dialling.has(id)) return;
    this.#dialling.add(id);
    this.#tasks.add(this.#keepPeer(id).finally(() => this.#dialling.delete(id)));
  }

  forget(id: NodeId): void {
    this.#learned.delete(id);
  }

  /** A link's preferred session changed: when we dialled it over WebSocket, QUIC is worth another try now and then. */
  considerUpgrade(link: Link): void {
    const dialQuic = this.#options.dialQuic;
    if (dialQuic === undefined || link.kind !== "websocket" || link.role !== "dialler") return;
    if (this.#upgrading.has(link.peer)) return;
    this.#upgrading.add(link.peer);
    this.#tasks.add(
      this.#upgrade(link.peer, dialQuic).finally(() => this.#upgrading.delete(link.peer)),
    );
  }

  async #keepAddress(address: HostPort): Promise<void> {
    const { signal } = this.#stop;
    const backoff = new Backoff({ random: this.#options.random });
    const where = formatHostPort(address);
    let owner: NodeId | undefined;
    while (!signal.aborted) {
      if (owner !== undefined && this.#options.link(owner) !== undefined) {
        await this.#options.changed.wait(signal);
        continue;
      }
      try {
        const session = await this.#options.dial(
          { host: address.host, port: address.port },
          signal,
        );
        owner = session.peer.id;
        this.#failures.delete(where);
        this.#options.onSession(session);
        await this.#whileLinked(owner, backoff);
      } catch (error) {
        if (signal.aborted) return;
        if (isSelf(error)) {
          this.#failures.delete(where);
          this.#options.log("info", "address is this node itself", { address: where });
          return;
        }
        const why = errorText(error);
        this.#failures.set(where, { why, ...(owner !== undefined && { owner }) });
        this.#options.log("warn", "dial failed", { address: where, error: why });
        await this.#options.onFailure(address, error, signal);
        await sleep(backoff.failed(), signal);
      }
    }
  }

  async #keepPeer(id: NodeId): Promise<void> {
    const { signal } = this.#stop;
    const { self, random } = this.#options;
    const backoff = new Backoff({ random });
    if (self > id) await sleep(politeDelayMs * (1 + random()), signal);
    for (let failures = 0; failures < learnedGiveUp && !signal.aborted;) {
      const addresses = this.#learned.get(id);
      if (addresses === undefined) return;
      if (this.#options.link(id) !== undefined) {
        failures = 0;
        await this.#options.changed.wait(signal);
        continue;
      }
      if (await this.#dialPeer(id, addresses)) {
        await this.#whileLinked(id, backoff);
      } else {
        failures++;
        await sleep(backoff.failed(), signal);
      }
    }
    this.#learned.delete(id);
  }

  async #dialPeer(id: NodeId, addresses: readonly string[]): Promise<boolean> {
    const { signal } = this.#stop;
    for (const text of addresses) {
      if (signal.aborted || this.#options.link(id) !== undefined) return true;
      let address: HostPort | undefined;
      try {
        address = parseHostPort(text);
        const { host, port } = address;
        this.#options.onSession(await this.#options.dial({ host, port, expect: id }, signal));
        return true;
      } catch (error) {
        this.#options.log("debug", "dial failed", {
          peer: id,
          address: text,
          error: errorText(error),
        });
        if (address !== undefined) await this.#options.onFailure(address, error, signal);
      }
    }
    return false;
  }

  /** Waits while the peer is linked; a link that died young does not reset the patience (an accept-and-close loop). */
  async #whileLinked(id: NodeId, backoff: Backoff): Promise<void> {
    const { signal } = this.#stop;
    const since = performance.now();
    while (!signal.aborted && this.#options.link(id) !== undefined) {
      await this.#options.changed.wait(signal);
    }
    await sleep(backoff.ended(performance.now() - since), signal);
  }

  async #upgrade(
    id: NodeId,
    dialQuic: (target: DialTarget, signal: AbortSignal) => Promise<Session>,
  ): Promise<void> {
    const { signal } = this.#stop;
    for (let wait = upgradeFirstMs;; wait = Math.min(wait * 2, upgradeMaxMs)) {
      await sleep(wait * (1 + this.#options.random() / 4), signal);
      const link = this.#options.link(id);
      if (signal.aborted || link === undefined || link.kind !== "websocket") return;
      try {
        const { host, port } = parseHostPort(link.session.remoteAddress);
        const session = await dialQuic({ host, port, expect: id }, signal);
        this.#options.log("info", "QUIC works again", { peer: id });
        this.#options.onSession(session);
        return;
      } catch (error) {
        this.#options.log("debug", "still no QUIC", { peer: id, error: errorText(error) });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#tasks.idle();
  }
}

/** True when the address led back here, over whatever transport answered. */
function isSelf(error: unknown): boolean {
  if (error instanceof LinkRefusedError) return error.closeCode === SessionCloseCode.self;
  if (error instanceof AggregateError) return error.errors.some(isSelf);
  return error instanceof Error && error.cause !== undefined && isSelf(error.cause);
}
