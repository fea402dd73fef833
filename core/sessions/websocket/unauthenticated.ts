import type { Socket } from "node:net";

interface Guest {
  readonly socket: Socket;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Connections that have not proven who they are. Each has `timeoutMs` for everything (TLS, HTTP, link hello), however it
 * dribbles its bytes. When there are too many the oldest goes: a real node is through in milliseconds, so what has been
 * waiting longest is what was never going to finish.
 */
export class Unauthenticated {
  readonly #max: number;
  readonly #timeoutMs: number;
  readonly #guests = new Map<string, Guest>();
  /** Ended because of the time limit or to make room. */
  turnedAway = 0;

  constructor(max: number, timeoutMs: number) {
    this.#max = max;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#guests.size;
  }

  enter(socket: Socket): void {
    // Gone already: it has no address any more, and nothing to wait for.
    if (socket.remotePort === undefined) return void socket.destroy();
    if (this.#guests.size >= this.#max) {
      const [oldest] = this.#guests.keys();
      if (oldest !== undefined) this.#turnAway(oldest);
    }
    const key = keyOf(socket);
    const timer = setTimeout(() => this.#turnAway(key), this.#timeoutMs);
    this.#guests.set(key, { socket, timer });
    socket.once("close", () => {
      if (this.#guests.get(key)?.socket === socket) this.#forget(key);
    });
  }

  /** The connection is known now, or has limits of its own. */
  settle(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): void {
    this.#forget(keyOf(socket));
  }

  clear(): void {
    for (const key of [...this.#guests.keys()]) this.#turnAway(key);
  }

  #turnAway(key: string): void {
    const guest = this.#guests.get(key);
    this.#forget(key);
    this.turnedAway++;
    guest?.socket.destroy();
  }

  #forget(key: string): void {
    clearTimeout(this.#guests.get(key)?.timer);
    this.#guests.delete(key);
  }
}

/** The TLS socket is another object than the TCP socket below it; both know the peer's address and port. */
function keyOf(
  socket: { remoteAddress?: string | undefined; remotePort?: number | undefined },
): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
