import { errorText } from "../../errors/mod.ts";
import type { NodeCertificate } from "../../identity/mod.ts";
import { ProtocolError, SessionClosedError, StreamResetError } from "../errors.ts";
import {
  type ByteStream,
  type Session,
  SessionCloseCode,
  type SessionCloseInfo,
  type SessionKind,
  type SessionLimits,
  type SessionStats,
} from "../types.ts";
import { addressText, closeFrame, remoteClose } from "./close_info.ts";
import { ControlChannel } from "./control_channel.ts";
import type { DatagramInbox } from "./datagram_inbox.ts";
import type { IncomingStreams } from "./incoming_streams.ts";
import { StreamOpener } from "./stream_opener.ts";
import { StreamRegistry } from "./stream_registry.ts";
import { promisedStreams } from "./transport_options.ts";

/** Datagrams handed to QUIC and not yet taken by it. Measured: more in flight lose more and are not faster. */
const maxDatagramsInFlight = 64;

/** A connection whose link handshake is done, with what the handshake already took off it. */
export interface QuicLink {
  readonly connection: Deno.QuicConn;
  readonly role: "dialler" | "acceptor";
  readonly peer: NodeCertificate;
  /** The handshake's stream, inside TLS. */
  readonly control: ByteStream;
  readonly incoming: IncomingStreams;
  readonly datagrams: DatagramInbox;
}

/** A QUIC connection between two nodes that have proven who they are. */
export class QuicSession implements Session {
  readonly kind: SessionKind;
  readonly role: "dialler" | "acceptor";
  readonly peer: NodeCertificate;
  readonly closed: Promise<SessionCloseInfo>;
  readonly #connection: Deno.QuicConn;
  readonly #incoming: IncomingStreams;
  readonly #datagrams: DatagramInbox;
  readonly #opener: StreamOpener;
  readonly #registry: StreamRegistry;
  readonly #control: ControlChannel;
  #decided: SessionCloseInfo | undefined;
  #over = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #streamsOpened = 0;
  #streamsAccepted = 0;
  #datagramsOut = 0;
  #datagramsRefused = 0;
  #datagramsInFlight = 0;

  constructor(link: QuicLink, limits: SessionLimits, kind: SessionKind = "quic") {
    this.kind = kind;
    this.role = link.role;
    this.peer = link.peer;
    this.#connection = link.connection;
    this.#incoming = link.incoming;
    this.#datagrams = link.datagrams;
    this.#opener = new StreamOpener(link.connection);
    this.#control = new ControlChannel(link.control, (error) => this.#breakOff(error));
    this.#registry = new StreamRegistry({
      role: link.role,
      maxEarlyResets: limits.maxIncomingStreams,
      send: (frame) => this.#control.send(frame),
      onOwnGone: () => this.#opener.gone(),
      onBytesIn: (count) => this.#bytesIn += count,
      onBytesOut: (count) => this.#bytesOut += count,
    });
    this.closed = this.#watch();
    this.#control.send({ kind: "limit", streamId: 0, code: promisedStreams(limits) });
    this.#control.run((frame) => {
      if (frame.kind === "limit") this.#opener.setLimit(frame.code);
      else this.#registry.receive(frame);
    });
  }

  get remoteAddress(): string {
    return addressText(this.#connection.remoteAddr);
  }

  get maxDatagramSize(): number {
    return this.#over ? 0 : this.#connection.maxDatagramSize;
  }

  get stats(): SessionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      streamsOpened: this.#streamsOpened,
      streamsAccepted: this.#streamsAccepted,
      datagramsIn: this.#datagrams.received,
      datagramsOut: this.#datagramsOut,
      datagramsDropped: this.#datagramsRefused + this.#datagrams.dropped,
    };
  }

  async openStream(options: { signal?: AbortSignal } = {}): Promise<ByteStream> {
    this.#assertOpen();
    const native = await this.#opener.open(options.signal);
    const stream = this.#taken(() => this.#registry.opened(native));
    this.#assertOpen();
    if (stream === null) throw this.#closedError();
    this.#streamsOpened++;
    return stream;
  }

  async acceptStream(): Promise<ByteStream | null> {
    for (;;) {
      if (this.#over) return null;
      const native = await this.#incoming.next();
      if (native === null) return null;
      const stream = this.#taken(() => this.#registry.arrived(native));
      if (stream === null) return null;
      if (stream === undefined) continue;
      this.#streamsAccepted++;
      return stream;
    }
  }

  /** Null: the connection has ended, and the stream with it, before it could be taken over. */
  #taken<T>(take: () => T): T | null {
    try {
      return take();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
      this.#breakOff(error);
      return null;
    }
  }

  sendDatagram(payload: Uint8Array): boolean {
    if (
      this.#over || this.#datagramsInFlight >= maxDatagramsInFlight ||
      payload.length > this.#connection.maxDatagramSize
    ) {
      this.#datagramsRefused++;
      return false;
    }
    this.#datagramsInFlight++;
    // Deno copies the payload before this call returns; the promise is about room in QUIC's buffer.
    this.#connection.sendDatagram(payload).then(this.#datagramSent, this.#datagramLost);
    return true;
  }

  receiveDatagram(): Promise<Uint8Array | null> {
    return this.#datagrams.receive();
  }

  async close(code: number = SessionCloseCode.normal, reason = ""): Promise<void> {
    if (this.#decided === undefined) {
      this.#decided = { code, reason, remote: false };
      this.#connection.close(closeFrame(code, reason));
    }
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #datagramSent = (): void => {
    this.#datagramsInFlight--;
    this.#datagramsOut++;
  };

  /** The path MTU shrank, or the session ended, in between. */
  readonly #datagramLost = (): void => {
    this.#datagramsInFlight--;
    this.#datagramsRefused++;
  };

  async #watch(): Promise<SessionCloseInfo> {
    const remote = await remoteClose(this.#connection);
    const info = this.#decided ?? remote;
    this.#over = true;
    const why = info.reason === "" ? `code ${info.code}` : `${info.reason} (code ${info.code})`;
    this.#opener.close(new SessionClosedError(`The session ended: ${why}`));
    this.#registry.failAll(new StreamResetError(`The session ended: ${why}`));
    this.#control.close();
    await this.#datagrams.done;
    return info;
  }

  /** The control stream failed: without it nobody can tell a reset from an end. */
  #breakOff(error: unknown): void {
    if (this.#over) return;
    if (error instanceof ProtocolError) {
      this.close(SessionCloseCode.protocolError, error.message);
      return;
    }
    // Usually the connection is ending and this is the first to hear of it: then its own reason stands, and this does nothing.
    this.#connection.close(closeFrame(SessionCloseCode.protocolError, errorText(error)));
  }

  #assertOpen(): void {
    if (this.#over || this.#decided !== undefined) throw this.#closedError();
  }

  #closedError(): SessionClosedError {
    const { id } = this.peer;
    return new SessionClosedError(`The session with ${id} is over`, { peer: id });
  }
}
