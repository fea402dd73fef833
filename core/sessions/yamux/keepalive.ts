export type KeepaliveVerdict = "wait" | "ping" | "dead";

/** When to ping and when to give the peer up, from times alone. */
export class Keepalive {
  readonly #keepAliveMs: number;
  readonly #idleTimeoutMs: number;
  #heardAt: number;
  #pingAt: number;
  #deadline: number;

  constructor(keepAliveMs: number, idleTimeoutMs: number, now: number) {
    this.#keepAliveMs = keepAliveMs;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#heardAt = now;
    this.#pingAt = now + keepAliveMs;
    this.#deadline = Math.min(this.#pingAt, now + idleTimeoutMs);
  }

  /** Something, anything, came from the peer. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** When `tick` wants to be called next. */
  get deadline(): number {
    return this.#deadline;
  }

  tick(now: number): KeepaliveVerdict {
    // A tick that is late by a whole interval means that this process stood still (suspended, starved). What the peer sent
    // meanwhile is still in the socket, so its silence proves nothing yet.
    if (now - this.#deadline > this.#keepAliveMs) this.#heardAt = now;
    let verdict: KeepaliveVerdict = "wait";
    if (now - this.#heardAt >= this.#idleTimeoutMs) verdict = "dead";
    else if (now >= this.#pingAt) {
      verdict = "ping";
      this.#pingAt = now + this.#keepAliveMs;
    }
    this.#deadline = Math.min(this.#pingAt, this.#heardAt + this.#idleTimeoutMs);
    return verdict;
  }
}
