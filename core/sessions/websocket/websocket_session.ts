import type { NodeCertificate } from "../../identity/types.ts";
import { ProtocolError } from "../errors.ts";
import {
  type ByteStream,
  type Session,
  SessionCloseCode,
  type SessionCloseInfo,
  type SessionLimits,
  type SessionStats,
} from "../types.ts";
import { GoAwayCode, type YamuxEnd, YamuxSession } from "../yamux/mod.ts";
import type { WebSocketPipe } from "./websocket_pipe.ts";
import { closeReasonToWire, MAX_DATAGRAM_BYTES } from "./websocket_wire.ts";

export interface WebSocketSessionOptions {
  readonly role: "dialler" | "acceptor";
  readonly peer: NodeCertificate;
  readonly remoteAddress: string;
  readonly limits: SessionLimits;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** yamux over a WebSocket in mutual TLS. Made by the transport and the listener only, after both ends are proven. */
export class WebSocketSession implements Session {
  readonly kind = "websocket";
  readonly role: "dialler" | "acceptor";
  readonly peer: NodeCertificate;
  readonly remoteAddress: string;
  readonly maxDatagramSize = MAX_DATAGRAM_BYTES;
  readonly closed: Promise<SessionCloseInfo>;
  readonly #pipe: WebSocketPipe;
  readonly #yamux: YamuxSession;
  /** What this end decided, before anything else ended the session. */
  #decision: SessionCloseInfo | null = null;

  constructor(pipe: WebSocketPipe, options: WebSocketSessionOptions) {
    const { limits } = options;
    this.role = options.role;
    this.peer = options.peer;
    this.remoteAddress = options.remoteAddress;
    this.#pipe = pipe;
    this.#yamux = new YamuxSession(pipe, {
      role: options.role === "dialler" ? "client" : "server",
      now: options.now,
      wholeFrames: true,
      limits: {
        maxIncomingStreams: limits.maxIncomingStreams,
        keepAliveMs: limits.keepAliveMs,
        idleTimeoutMs: limits.idleTimeoutMs,
        maxStreamWindow: limits.maxStreamWindow,
      },
      onEnd: (end) => this.#onEnd(end),
    });
    this.closed = this.#watch();
  }

  openStream(options: { signal?: AbortSignal } = {}): Promise<ByteStream> {
    return this.#yamux.openStream(options);
  }

  acceptStream(): Promise<ByteStream | null> {
    return this.#yamux.acceptStream();
  }

  sendDatagram(payload: Uint8Array): boolean {
    return this.#pipe.sendDatagram(payload);
  }

  receiveDatagram(): Promise<Uint8Array | null> {
    return this.#pipe.datagrams.receive();
  }

  async close(code: number = SessionCloseCode.normal, reason = ""): Promise<void> {
    this.#decide({ code, reason: closeReasonToWire(reason), remote: false });
    this.#pipe.datagrams.close();
    await this.#yamux.close();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get stats(): SessionStats {
    const { bytesIn, bytesOut, streamsOpened, streamsAccepted } = this.#yamux.stats;
    const pipe = this.#pipe;
    return {
      bytesIn,
      bytesOut,
      streamsOpened,
      streamsAccepted,
      datagramsIn: pipe.datagramsIn,
      datagramsOut: pipe.datagramsOut,
      datagramsDropped: pipe.datagramsRefused + pipe.datagrams.dropped,
    };
  }

  #decide(info: SessionCloseInfo): void {
    if (this.#decision !== null) return;
    this.#decision = info;
    this.#pipe.farewell = info;
  }

  /** yamux is over; its pipe is closed next, and the close frame says why. */
  #onEnd(end: YamuxEnd): void {
    const protocol = end.cause === "protocol" || end.error instanceof ProtocolError;
    if (protocol) {
      this.#decide({
        code: SessionCloseCode.protocolError,
        reason: closeReasonToWire(end.message),
        remote: end.goAwayCode !== GoAwayCode.normal && end.cause === "remote",
      });
    } else if (end.cause === "idle") {
      this.#decide({ code: SessionCloseCode.idleTimeout, reason: end.message, remote: false });
      this.#pipe.terminate();
    }
  }

  async #watch(): Promise<SessionCloseInfo> {
    const [, said] = await Promise.all([this.#yamux.closed, this.#pipe.ended]);
    if (this.#decision !== null) return this.#decision;
    if (said.code !== undefined) return { code: said.code, reason: said.reason, remote: true };
    return {
      code: SessionCloseCode.idleTimeout,
      reason: "the connection was lost",
      remote: false,
    };
  }
}
