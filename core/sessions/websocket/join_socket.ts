import {
  type JoinConversation,
  joinTimeoutMs,
  maxJoinMessageBytes,
  maxJoinMessages,
} from "../../identity/mod.ts";
import { ProtocolError, SessionClosedError } from "../errors.ts";
import type { WebSocket } from "./ws_library.ts";

/** A message out of turn or out of bounds (RFC 6455, section 7.4.1). */
const POLICY_VIOLATION = 1008;
const NORMAL = 1000;

/**
 * One WebSocket message per join message: at most 16 KiB each (the socket's `maxPayload`), at most 8 each way, 30 s in all.
 * Whoever breaks that is cut off.
 */
export class JoinSocket implements JoinConversation, AsyncDisposable {
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  readonly #waiting: Uint8Array[] = [];
  readonly #gone = Promise.withResolvers<void>();
  readonly #timer: ReturnType<typeof setTimeout>;
  #receiver: PromiseWithResolvers<Uint8Array | null> | null = null;
  #received = 0;
  #sent = 0;
  #over = false;
  /** Since when it is the other end's turn; null while it is ours. */
  #theirTurnSince: number | null = performance.now();

  constructor(socket: WebSocket, remoteAddress: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#timer = setTimeout(() => this.#close(POLICY_VIOLATION), joinTimeoutMs);
    socket.on("message", (data: Uint8Array, binary: boolean) => this.#onMessage(data, binary));
    // `close` follows every `error`.
    socket.on("error", () => {});
    socket.once("close", () => {
      clearTimeout(this.#timer);
      this.#end();
      this.#gone.resolve();
    });
  }

  /** How long the other end has kept us waiting, milliseconds; 0 while it waits for us. */
  get stalledMs(): number {
    return this.#theirTurnSince === null ? 0 : performance.now() - this.#theirTurnSince;
  }

  /** Resolves when the socket is gone. */
  get closed(): Promise<void> {
    return this.#gone.promise;
  }

  receive(): Promise<Uint8Array | null> {
    const message = this.#waiting.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#over) return Promise.resolve(null);
    if (this.#receiver !== null) {
      return Promise.reject(new ProtocolError("receive() while another one is pending"));
    }
    this.#receiver = Promise.withResolvers();
    return this.#receiver.promise;
  }

  /** @throws {SessionClosedError} the other end is gone @throws {ProtocolError} too large or too many */
  send(message: Uint8Array): Promise<void> {
    if (message.length === 0 || message.length > maxJoinMessageBytes) {
      return Promise.reject(
        new ProtocolError(
          `a join message of ${message.length} bytes, allowed are ${maxJoinMessageBytes}`,
        ),
      );
    }
    if (this.#over) {
      return Promise.reject(new SessionClosedError("the join conversation is over"));
    }
    if (++this.#sent > maxJoinMessages) {
      return Promise.reject(new ProtocolError(`more than ${maxJoinMessages} join messages`));
    }
    this.#theirTurnSince = performance.now();
    return new Promise((resolve, reject) => {
      this.#socket.send(message.slice(), { binary: true }, (error) => {
        if (error) reject(new SessionClosedError("the join conversation is over", {}, error));
        else resolve();
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(NORMAL);
    await this.closed;
  }

  #onMessage(data: Uint8Array, binary: boolean): void {
    if (this.#over) return;
    if (!binary || data.length === 0 || ++this.#received > maxJoinMessages) {
      return this.#close(POLICY_VIOLATION);
    }
    this.#theirTurnSince = null;
    const receiver = this.#receiver;
    this.#receiver = null;
    // A copy in a plain array: a Buffer's `slice()` is a view of the socket's own.
    const message = new Uint8Array(data);
    if (receiver === null) this.#waiting.push(message);
    else receiver.resolve(message);
  }

  #close(code: number): void {
    this.#end();
    this.#socket.close(code);
  }

  #end(): void {
    this.#over = true;
    this.#receiver?.resolve(null);
    this.#receiver = null;
  }
}
