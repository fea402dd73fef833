import { PulseError } from "../../errors/mod.ts";

/** Datagrams that arrived and nobody took. The oldest goes first when there are too many: late packets are worth least. */
export class DatagramQueue {
  readonly #max: number;
  #waiting: Uint8Array[] = [];
  #receiver: PromiseWithResolvers<Uint8Array | null> | null = null;
  #closed = false;
  /** Given up because nobody took them in time. */
  dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** `payload` may be a view of something larger: it is copied when it has to wait. */
  push(payload: Uint8Array): void {
    if (this.#closed) return;
    const receiver = this.#receiver;
    if (receiver !== null) {
      this.#receiver = null;
      receiver.resolve(payload);
      return;
    }
    if (this.#waiting.length >= this.#max) {
      this.#waiting.shift();
      this.dropped++;
    }
    this.#waiting.push(payload.slice());
  }

  receive(): Promise<Uint8Array | null> {
    if (this.#receiver !== null) {
      return Promise.reject(
        new PulseError("SESSION_BUSY", "receiveDatagram() while another one is pending"),
      );
    }
    if (this.#closed) return Promise.resolve(null);
    const next = this.#waiting.shift();
    if (next !== undefined) return Promise.resolve(next);
    this.#receiver = Promise.withResolvers();
    return this.#receiver.promise;
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#receiver?.resolve(null);
    this.#receiver = null;
  }
}
