import type { NodeId } from "../identity/types.ts";
import { type ByteStream, type Session, SessionCloseCode } from "../sessions/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { type LinkCandidate, preferLink } from "./link_preference.ts";
import { errorText } from "../errors/mod.ts";
import { TaskSet } from "../tasks/mod.ts";
import { sleep } from "./sleep.ts";

/** A session in use, with the number of streams that still run on it. */
export interface Link extends LinkCandidate {
  readonly session: Session;
  /** `performance.now()` when it came up. */
  readonly since: number;
  readonly openStream: Session["openStream"];
  active: number;
}

export interface LinkEvents {
  /** The first session to this peer came up. */
  up(peer: NodeId, link: Link): void;
  /** A session came up, preferred or not. */
  added(link: Link): void;
  /** New streams and control traffic move to this link. */
  primary(peer: NodeId, link: Link): void;
  /** The last session to this peer is gone. */
  down(peer: NodeId, reason: string): void;
  /** A peer opened a stream; the handler owns it. */
  stream(link: Link, stream: ByteStream): Promise<void>;
}

/** Bytes on the wire of links. */
export interface Traffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Sessions to one peer at once: the preferred one and those that drain. A peer that dials in a loop holds no more than these. */
export const maxSessionsPerPeer = 8;
/** A replaced session is kept this long for streams the other end opens before it has seen the new one. */
const drainGraceMs = 2_000;
/** A replaced session whose streams never end is cut after this. */
const drainLimitMs = 10 * 60_000;

/**
 * All sessions by peer. New streams use the preferred one; a replaced session lives on until its streams have ended
 * (make before break), so an upgrade from WebSocket to QUIC costs nobody a byte.
 */
export class LinkManager implements AsyncDisposable {
  readonly #self: NodeId;
  readonly #events: LinkEvents;
  readonly #log: LogFn;
  readonly #drainGraceMs: number;
  readonly #links = new Map<NodeId, Link[]>();
  readonly #stop = new AbortController();
  readonly #tasks: TaskSet;
  #order = 0;
  /** Of links that have ended. */
  #gone: Traffic = { bytesIn: 0, bytesOut: 0 };

  /** @param options.drainGraceMs how often a replaced session is looked at; 2 s */
  constructor(
    options: { self: NodeId; events: LinkEvents; log: LogFn; drainGraceMs?: number },
  ) {
    this.#self = options.self;
    this.#events = options.events;
    this.#log = options.log;
    this.#drainGraceMs = options.drainGraceMs ?? drainGraceMs;
    this.#tasks = new TaskSet((error) => {
      options.log("error", "link task failed", { error: errorText(error) });
    });
  }

  /** The link new streams to this peer use. */
  primary(peer: NodeId): Link | undefined {
    return this.#links.get(peer)?.[0];
  }

  peers(): NodeId[] {
    return [...this.#links.keys()];
  }

  /** Takes over an authenticated session. */
  add(session: Session): void {
    const link = this.#makeLink(session);
    const peer = session.peer.id;
    const links = this.#links.get(peer) ?? [];
    const first = links.length === 0;
    const at = links.findIndex((other) => preferLink(this.#self, link, other));
    links.splice(at === -1 ? links.length : at, 0, link);
    this.#links.set(peer, links);
    this.#log("info", "session up", {
      peer,
      transport: session.kind,
      role: session.role,
      remote: session.remoteAddress,
    });
    if (first) this.#events.up(peer, link);
    this.#events.added(link);
    if (links[0] === link) this.#events.primary(peer, link);
    for (const other of links.slice(1)) this.#tasks.add(this.#drain(other));
    const excess = links[maxSessionsPerPeer];
    if (excess !== undefined) {
      this.#tasks.add(excess.session.close(SessionCloseCode.overLimit, "too many sessions"));
    }
    this.#tasks.add(this.#serve(link));
  }

  #makeLink(session: Session): Link {
    const link: Link = {
      session,
      kind: session.kind,
      role: session.role,
      peer: session.peer.id,
      order: this.#order++,
      since: performance.now(),
      active: 0,
      openStream: async (options) => {
        const stream = await session.openStream(options);
        this.#count(link, stream);
        return stream;
      },
    };
    return link;
  }

  #count(link: Link, stream: ByteStream): void {
    link.active++;
    this.#tasks.add(stream.closed.then(() => {
      link.active--;
    }));
  }

  async #serve(link: Link): Promise<void> {
    try {
      for (;;) {
        const stream = await link.session.acceptStream();
        if (stream === null) break;
        this.#count(link, stream);
        this.#tasks.add(this.#events.stream(link, stream));
      }
    } catch (error) {
      // A session that cannot be listened to is none: kept, it would be in the way of every later one to this peer.
      this.#log("error", "link takes no streams", { peer: link.peer, error: errorText(error) });
      await link.session.close(SessionCloseCode.protocolError, "takes no streams");
    }
    const info = await link.session.closed;
    this.#remove(link, info.reason || `closed with code ${info.code}`);
  }

  /** Bytes over all links since the start, those that are gone included. */
  traffic(): Traffic {
    let { bytesIn, bytesOut } = this.#gone;
    for (const { session } of [...this.#links.values()].flat()) {
      bytesIn += session.stats.bytesIn;
      bytesOut += session.stats.bytesOut;
    }
    return { bytesIn, bytesOut };
  }

  #remove(link: Link, reason: string): void {
    const links = this.#links.get(link.peer);
    const at = links?.indexOf(link) ?? -1;
    if (links === undefined || at === -1) return;
    links.splice(at, 1);
    const { bytesIn, bytesOut } = link.session.stats;
    this.#gone = {
      bytesIn: this.#gone.bytesIn + bytesIn,
      bytesOut: this.#gone.bytesOut + bytesOut,
    };
    this.#log("info", "session down", { peer: link.peer, transport: link.kind, reason });
    const next = links[0];
    if (next === undefined) {
      this.#links.delete(link.peer);
      this.#events.down(link.peer, reason);
    } else if (at === 0) {
      this.#events.primary(link.peer, next);
    }
  }

  #draining = new Set<Link>();

  async #drain(link: Link): Promise<void> {
    if (this.#draining.has(link)) return;
    this.#draining.add(link);
    const limit = performance.now() + drainLimitMs;
    do {
      await sleep(this.#drainGraceMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      // The preferred session may have died meanwhile: then this one is in use again.
      if (this.primary(link.peer) === link) {
        this.#draining.delete(link);
        return;
      }
      // The control stream counts as one.
    } while (link.active > 1 && performance.now() < limit);
    await link.session.close(SessionCloseCode.replaced, "another session took over");
  }

  /** Ends every session to a peer, as revocation does. */
  async drop(peer: NodeId, code: number, reason: string): Promise<void> {
    await Promise.all(
      [...this.#links.get(peer) ?? []].map((link) => link.session.close(code, reason)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const links = [...this.#links.values()].flat();
    await Promise.all(
      links.map((link) => link.session.close(SessionCloseCode.shuttingDown, "shutting down")),
    );
    await this.#tasks.idle();
  }
}
