/** Own pings on their way: a caller that pings faster than the peer answers is refused, not queued. */
const MAX_IN_FLIGHT = 16;

interface Ping {
  readonly sentAt: number;
  readonly done: (roundTripMs: number | null) => void;
}

/** Matches answers to pings and keeps the smoothed round trip (RFC 6298: 7/8 old + 1/8 new). */
export class PingTracker {
  readonly #inFlight = new Map<number, Ping>();
  #nextId = 0;
  #roundTripMs = 0;

  /** Smoothed round trip, 0 before the first answer. */
  get roundTripMs(): number {
    return this.#roundTripMs;
  }

  /**
   * A new ping's id, or null when too many are on their way. `done` gets the round trip in milliseconds, or null when the
   * session ends first.
   */
  start(now: number, done: (roundTripMs: number | null) => void): number | null {
    if (this.#inFlight.size >= MAX_IN_FLIGHT) return null;
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    this.#inFlight.set(id, { sentAt: now, done });
    return id;
  }

  /** An answer came; one nobody asked for is ignored. */
  answered(id: number, now: number): void {
    const ping = this.#inFlight.get(id);
    if (ping === undefined) return;
    this.#inFlight.delete(id);
    const sample = Math.max(0, now - ping.sentAt);
    this.#roundTripMs = this.#roundTripMs === 0
      ? sample
      : this.#roundTripMs * 0.875 + sample * 0.125;
    ping.done(sample);
  }

  end(): void {
    const pings = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const ping of pings) ping.done(null);
  }
}
