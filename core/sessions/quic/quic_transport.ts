import { errorText } from "../../errors/mod.ts";
import { DialError, SessionClosedError } from "../errors.ts";
import {
  defaultSessionLimits,
  type DialTarget,
  type LinkPolicy,
  type Session,
  SessionCloseCode,
  type SessionKind,
  type SessionLimits,
  type SessionListener,
  type Transport,
} from "../types.ts";
import { closeFrame } from "./close_info.ts";
import { dialPeer, learnPeer, type QuicDialContext } from "./quic_dial.ts";
import { acceptLink } from "./quic_link.ts";
import { QuicSession } from "./quic_session.ts";
import { refusalOf } from "./refusal.ts";
import { resolveHost } from "./resolve_host.ts";
import { type QuicCongestion, transportOptions } from "./transport_options.ts";

/** Authenticated sessions that wait for `accept()`; beyond, new ones are closed with `overLimit`. */
const maxWaitingSessions = 64;

/** A node is through with its handshake long before that. */
const stalledMs = 1_000;

interface Guest {
  /** `performance.now()` */
  readonly since: number;
  giveUp(reason: string): void;
}

export interface QuicTransportOptions {
  /** IP address to bind; `::` takes IPv4 too. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly policy: LinkPolicy;
  readonly limits?: Partial<SessionLimits>;
  /** @default "default" */
  readonly congestion?: QuicCongestion;
}

export interface QuicTransportStats {
  /** Connections that have not proven who they are, now. */
  readonly unauthenticated: number;
  /** Connections turned away because too many of those were open, or ended to make room. */
  readonly turnedAway: number;
  /** Link handshakes of diallers that failed or were refused here. */
  readonly refused: number;
}

/**
 * QUIC on one UDP port, listening and dialling: a peer sees the listening port as the source of a dial, so a dial from both ends
 * at once is a hole punch.
 */
export class QuicTransport implements Transport, SessionListener {
  readonly name = "quic";
  readonly #endpoint: Deno.QuicEndpoint;
  readonly #policy: LinkPolicy;
  readonly #limits: SessionLimits;
  readonly #congestion: QuicCongestion;
  readonly #sessions = new Set<Session>();
  readonly #handshakes = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  readonly #waiting: Session[] = [];
  /** All listeners ever made: collecting an old one would stop the endpoint from listening at all (its Rust half unsets it). */
  readonly #listeners: Deno.QuicListener[] = [];
  readonly #accepting: Promise<void>;
  /** Connections that have not proven who they are, the oldest first. */
  readonly #guests = new Set<Guest>();
  #acceptor: ((session: Session | null) => void) | undefined;
  #turnedAway = 0;
  #refused = 0;
  #closing: Promise<void> | undefined;

  private constructor(endpoint: Deno.QuicEndpoint, options: QuicTransportOptions) {
    this.#endpoint = endpoint;
    this.#policy = options.policy;
    this.#limits = { ...defaultSessionLimits, ...options.limits };
    this.#congestion = options.congestion ?? "default";
    this.#listen();
    this.#accepting = this.#acceptConnections();
  }

  /** Binds the port and listens. @throws {DialError} the port cannot be bound */
  static open(options: QuicTransportOptions): Promise<QuicTransport> {
    const { host, port } = options;
    try {
      const endpoint = new Deno.QuicEndpoint({ hostname: host, port });
      return Promise.resolve(new QuicTransport(endpoint, options));
    } catch (error) {
      return Promise.reject(
        new DialError(`UDP ${host} port ${port} cannot be used: ${errorText(error)}`, {
          host,
          port,
        }, error),
      );
    }
  }

  get address(): { readonly host: string; readonly port: number } {
    const { hostname, port } = this.#endpoint.addr;
    return { host: hostname, port };
  }

  /** The endpoint itself, for who shares its UDP port. */
  get endpoint(): Deno.QuicEndpoint {
    return this.#endpoint;
  }

  get stats(): QuicTransportStats {
    return {
      unauthenticated: this.#guests.size,
      turnedAway: this.#turnedAway,
      refused: this.#refused,
    };
  }

  /**
   * @throws {LinkRefusedError} one of the two ends refused the other
   * @throws {DialError} anything else that went wrong
   */
  async dial(
    target: DialTarget,
    options: { signal: AbortSignal; kind?: SessionKind },
  ): Promise<Session> {
    if (this.#closing !== undefined) throw new SessionClosedError("The QUIC transport is closed");
    const { kind = "quic" } = options;
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new DialError(`${target.host} did not answer in time`, { ...target })),
      this.#limits.handshakeTimeoutMs,
    );
    const signal = AbortSignal.any([options.signal, timeout.signal, this.#ending.signal]);
    try {
      return this.#keep(await this.#dialAddresses(target, { signal, kind }));
    } finally {
      clearTimeout(timer);
    }
  }

  async accept(): Promise<Session | null> {
    const session = this.#waiting.shift();
    if (session !== undefined) return session;
    if (this.#closing !== undefined) return null;
    return await new Promise((resolve) => this.#acceptor = resolve);
  }

  /** Shows new diallers the current certificate. Sessions live on, they have proven themselves. */
  refreshCredentials(): void {
    if (this.#closing === undefined) this.#listen();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listen(): void {
    const { key, certificate } = this.#policy.credentials();
    this.#listeners.push(this.#endpoint.listen({
      cert: certificate.pem,
      key: key.privateKeyPem,
      ...transportOptions(this.#limits, this.#congestion, "acceptor"),
    }));
  }

  async #dialAddresses(
    target: DialTarget,
    options: { signal: AbortSignal; kind: SessionKind },
  ): Promise<QuicSession> {
    const context: QuicDialContext = {
      endpoint: this.#endpoint,
      policy: this.#policy,
      limits: this.#limits,
      congestion: this.#congestion,
    };
    const failures: unknown[] = [];
    for (const host of await resolveHost(target.host, this.address.host)) {
      const at: DialTarget = { ...target, host };
      try {
        const expect = target.expect ?? await learnPeer(context, at, options.signal);
        return await dialPeer(context, at, expect, options);
      } catch (error) {
        options.signal.throwIfAborted();
        failures.push(error);
      }
    }
    if (failures.length === 1) throw failures[0];
    throw new DialError(
      `No address of ${target.host} worked: ${failures.map(errorText).join("; ")}`,
      { host: target.host, port: target.port },
      new AggregateError(failures),
    );
  }

  async #acceptConnections(): Promise<void> {
    for (;;) {
      const incoming = await this.#nextIncoming();
      if (incoming === undefined) return;
      // Nothing may be read off `incoming` before this: reading its address consumes it (Deno 2.9).
      if (this.#closing !== undefined || !this.#makeRoom()) {
        incoming.refuse();
        continue;
      }
      let connection: Deno.QuicConn;
      try {
        // 0-RTT gives the connection at once, also one that never completes QUIC's own handshake: it can be closed then.
        connection = incoming.accept({ zeroRtt: true });
      } catch {
        // The stranger's first packet was no good; it concerns nobody else.
        this.#refused++;
        continue;
      }
      const handshake = this.#welcome(connection);
      this.#handshakes.add(handshake);
      handshake.finally(() => this.#handshakes.delete(handshake));
    }
  }

  /**
   * False when there are too many guests and none of them stalls. A stranger that opens connections in silence must not shut others
   * out, so the oldest makes room; but not while it may be a node in the middle of its handshake, or a crowd of nodes that all come
   * back at once would push each other out.
   */
  #makeRoom(): boolean {
    if (this.#guests.size < this.#limits.maxUnauthenticated) return true;
    this.#turnedAway++;
    const [oldest] = this.#guests;
    if (oldest === undefined || performance.now() - oldest.since < stalledMs) return false;
    oldest.giveUp("others wait who may be quicker");
    return true;
  }

  /** Undefined once the endpoint is closed. */
  async #nextIncoming(): Promise<Deno.QuicIncoming | undefined> {
    try {
      return await (this.#listeners.at(-1) as Deno.QuicListener).incoming();
    } catch {
      // The endpoint is gone: `accept()` says so to the owner.
      this.close();
      return undefined;
    }
  }

  async #welcome(connection: Deno.QuicConn): Promise<void> {
    const ended = connection.closed.catch(() => {});
    const timeout = new AbortController();
    const guest: Guest = {
      since: performance.now(),
      giveUp: (reason) => {
        this.#guests.delete(guest);
        timeout.abort(new SessionClosedError(reason));
        connection.close(closeFrame(SessionCloseCode.unauthenticated, reason));
      },
    };
    this.#guests.add(guest);
    const timer = setTimeout(
      () => guest.giveUp("the link handshake took too long"),
      this.#limits.handshakeTimeoutMs,
    );
    try {
      const link = await acceptLink(connection, this.#policy, timeout.signal);
      clearTimeout(timer);
      this.#offer(this.#keep(new QuicSession(link, this.#limits)));
    } catch (error) {
      clearTimeout(timer);
      this.#refused++;
      const { code, reason } = refusalOf(error);
      connection.close(closeFrame(code, reason));
      await ended;
    } finally {
      this.#guests.delete(guest);
    }
  }

  #keep<T extends Session>(session: T): T {
    this.#sessions.add(session);
    session.closed.then(() => this.#sessions.delete(session));
    return session;
  }

  #offer(session: Session): void {
    const acceptor = this.#acceptor;
    if (acceptor !== undefined) {
      this.#acceptor = undefined;
      acceptor(session);
    } else if (this.#closing !== undefined) {
      session.close(SessionCloseCode.shuttingDown, "the node is stopping");
    } else if (this.#waiting.length >= maxWaitingSessions) {
      session.close(SessionCloseCode.overLimit, "too many sessions wait to be served");
    } else this.#waiting.push(session);
  }

  async #close(): Promise<void> {
    await Promise.all(
      [...this.#sessions].map((session) =>
        session.close(SessionCloseCode.shuttingDown, "the node is stopping")
      ),
    );
    this.#waiting.length = 0;
    this.#acceptor?.(null);
    this.#acceptor = undefined;
    this.#ending.abort(new SessionClosedError("The QUIC transport was closed"));
    this.#endpoint.close(closeFrame(SessionCloseCode.shuttingDown, "the node is stopping"));
    await this.#accepting;
    await Promise.all([...this.#handshakes]);
  }
}
