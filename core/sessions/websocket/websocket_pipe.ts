import type { WebSocket } from "./ws_library.ts";
import { ProtocolError, SessionClosedError } from "../errors.ts";
import { SessionCloseCode, type SessionCloseInfo } from "../types.ts";
import type { BytePipe } from "../yamux/mod.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import {
  closeCodeFromWire,
  closeCodeToWire,
  closeReasonToWire,
  MAX_DATAGRAM_BYTES,
  MessageKind,
} from "./websocket_wire.ts";

const MAX_WAITING_DATAGRAMS = 256;
/** Messages yamux has not taken yet, beyond which the socket is not read. */
const MAX_WAITING_MESSAGES = 8;
/** Bytes not yet taken by the socket, beyond which datagrams are given up: they would only arrive late. */
const MAX_DATAGRAM_BACKLOG = 1024 * 1024;

/** A WebSocket as yamux's pipe and as a carrier of datagrams. */
export class WebSocketPipe implements BytePipe {
  readonly datagrams = new DatagramQueue(MAX_WAITING_DATAGRAMS);
  /** Resolves when the socket is gone, with what its close frame said; without one `code` is undefined. */
  readonly ended: Promise<{ code: number | undefined; reason: string }>;
  datagramsIn = 0;
  datagramsOut = 0;
  datagramsRefused = 0;
  readonly #socket: WebSocket;
  readonly #messages: Uint8Array[] = [];
  #reader: PromiseWithResolvers<Uint8Array | null> | null = null;
  #over = false;
  #violation: ProtocolError | null = null;
  #farewell: SessionCloseInfo = { code: SessionCloseCode.normal, reason: "", remote: false };
  #allowance: number;

  /** With `allowance`, more bytes than that from the peer end the session until `trust()` was called. */
  constructor(socket: WebSocket, allowance = Number.POSITIVE_INFINITY) {
    this.#socket = socket;
    this.#allowance = allowance;
    socket.on("message", (data: Uint8Array, binary: boolean) => {
      // As a plain array: a Buffer's `slice()` would be a view, and copies made above here would not be copies.
      this.#onMessage(new Uint8Array(data.buffer, data.byteOffset, data.length), binary);
    });
    // `close` always follows an `error`.
    socket.on("error", () => {});
    const ended = Promise.withResolvers<{ code: number | undefined; reason: string }>();
    this.ended = ended.promise;
    socket.once("close", (code: number, reason: Uint8Array) => {
      this.#end();
      ended.resolve({ code: closeCodeFromWire(code), reason: new TextDecoder().decode(reason) });
    });
  }

  /** The peer has proven itself: no bound on what it sends but yamux's own. */
  trust(): void {
    this.#allowance = Number.POSITIVE_INFINITY;
  }

  /** What the close frame is going to say. */
  set farewell(info: SessionCloseInfo) {
    this.#farewell = info;
  }

  write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(new SessionClosedError("the WebSocket is closed"));
      this.#socket.send(chunk, BINARY, (error) => {
        if (error) reject(new SessionClosedError("the WebSocket took no more", {}, error));
        else resolve();
      });
    });
  }

  read(): Promise<Uint8Array | null> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#messages.length === 0 && this.#socket.isPaused) this.#socket.resume();
      return Promise.resolve(message);
    }
    if (this.#violation !== null) return Promise.reject(this.#violation);
    if (this.#over) return Promise.resolve(null);
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Says goodbye and closes; `ws` ends the socket itself when the peer does not answer in time. */
  close(): void {
    this.#end();
    const { code, reason } = this.#farewell;
    this.#socket.resume();
    this.#socket.close(closeCodeToWire(code), closeReasonToWire(reason));
  }

  /** No goodbye: the peer is not there to hear it. */
  terminate(): void {
    this.#end();
    this.#socket.terminate();
  }

  sendDatagram(payload: Uint8Array): boolean {
    if (
      this.#over || payload.length > MAX_DATAGRAM_BYTES ||
      this.#socket.bufferedAmount > MAX_DATAGRAM_BACKLOG
    ) {
      this.datagramsRefused++;
      return false;
    }
    const message = new Uint8Array(payload.length + 1);
    message[0] = MessageKind.datagram;
    message.set(payload, 1);
    this.#socket.send(message, BINARY);
    this.datagramsOut++;
    return true;
  }

  #onMessage(data: Uint8Array, binary: boolean): void {
    if (this.#over) return;
    this.#allowance -= data.length;
    if (!binary || data.length === 0) return this.#violate("a message that is not binary or empty");
    if (this.#allowance < 0) return this.#violate("more than a link hello before it was welcome");
    if (data[0] === MessageKind.datagram) {
      this.datagramsIn++;
      return this.datagrams.push(data.subarray(1));
    }
    if (data[0] !== MessageKind.frames) return this.#violate(`a message of kind ${data[0]}`);
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      return reader.resolve(data);
    }
    this.#messages.push(data);
    if (this.#messages.length >= MAX_WAITING_MESSAGES) this.#socket.pause();
  }

  #violate(what: string): void {
    this.#violation = new ProtocolError(`the peer sent ${what}`);
    this.#over = true;
    this.datagrams.close();
    this.#reader?.reject(this.#violation);
    this.#reader = null;
  }

  #end(): void {
    this.#over = true;
    this.datagrams.close();
    this.#reader?.resolve(null);
    this.#reader = null;
  }
}

const BINARY = { binary: true } as const;
