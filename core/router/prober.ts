/** Every probe and every answer is exactly this long: kind, sequence, nonce. Small enough for any datagram. */
export const PROBE_BYTES = 13;

const KIND_PROBE = 1;
const KIND_PONG = 2;

/** Answers per second at most; an honest peer asks for three in its first second and one per second at the worst. */
const MOST_REPLIES_PER_SECOND = 16;

/** Intervals and limits in milliseconds. */
export interface LinkProberOptions {
  /** Uniform in [0, 1), unpredictable to the peer: makes the nonces that keep it from answering before it was asked. */
  readonly random: () => number;
  /** @default {5000} */
  readonly intervalMs?: number;
  /**
   * Between the first three probes, so that a new link is measured at once.
   * @default {300}
   */
  readonly firstIntervalMs?: number;
  /**
   * While the last probe failed: a dead link is told from a lossy one in seconds and not in a minute.
   * @default {1000}
   */
  readonly suspectIntervalMs?: number;
  /** @default {3000} */
  readonly timeoutMs?: number;
}

/** What is known of the link. */
export interface LinkQuality {
  /** Smoothed round trip (EWMA, alpha 0.3, successes only); null before the first answer. */
  readonly latencyMs: number | null;
  /** Smoothed difference of successive round trips (RFC 3550, 6.4.1); 0 before the second answer. */
  readonly jitterMs: number;
  /** Failures among the last ten finished probes, 0..1; 0 before the first has finished. */
  readonly loss: number;
  /** Finished probes in the window, 0..10. */
  readonly samples: number;
  readonly dead: boolean;
}

/** What the adapter has to do now. */
export interface ProberTick {
  /** To be sent to the peer as it is. */
  readonly send?: Uint8Array;
  /** Once, when the link is given up: close the session. */
  readonly dead?: true;
}

const FIRST_PROBES = 3;
const WINDOW = 10;
const ALPHA = 0.3;
const DEAD_FAILURES = 5;
const DEAD_LOSS = 0.9;
/** A measured link is never 0 ms: that would count as unmeasured. */
const SHORTEST_MS = 0.01;

interface Outstanding {
  readonly sequence: number;
  readonly nonceHigh: number;
  readonly nonceLow: number;
  readonly sentAt: number;
}

/**
 * Measures one link by probes and answers the peer's. Sans-I/O: `now` is monotonic milliseconds.
 *
 * Dead means at least 5 failures in a row and a loss above 0.9 over the window; that is final, a new session gets a new
 * prober. A link that stops answering is dead within 20 s, one that never answered within 10 s.
 */
export class LinkProber {
  readonly #random: () => number;
  readonly #intervalMs: number;
  readonly #firstIntervalMs: number;
  readonly #suspectIntervalMs: number;
  readonly #timeoutMs: number;
  /** In the order of sending; bounded by timeout / shortest interval. */
  readonly #outstanding: Outstanding[] = [];
  /** Oldest first, at most `WINDOW`; true = answered. */
  readonly #window: boolean[] = [];
  #sequence = 0;
  #sent = 0;
  #lastSentAt = -Infinity;
  #trailingFailures = 0;
  #latencyMs: number | null = null;
  #lastRttMs: number | null = null;
  #jitterMs = 0;
  #dead = false;
  #repliesSince = -Infinity;
  #replies = 0;

  constructor(options: LinkProberOptions) {
    this.#random = options.random;
    this.#intervalMs = options.intervalMs ?? 5000;
    this.#firstIntervalMs = options.firstIntervalMs ?? 300;
    this.#suspectIntervalMs = options.suspectIntervalMs ?? 1000;
    this.#timeoutMs = options.timeoutMs ?? 3000;
  }

  /** What is known of the link now. */
  get quality(): LinkQuality {
    return {
      latencyMs: this.#latencyMs,
      jitterMs: this.#jitterMs,
      loss: this.#loss(),
      samples: this.#window.length,
      dead: this.#dead,
    };
  }

  /** When `tick()` has something to do next, monotonic milliseconds; Infinity once the link is dead. */
  nextWake(): number {
    if (this.#dead) return Infinity;
    const oldest = this.#outstanding[0];
    const timeout = oldest === undefined ? Infinity : oldest.sentAt + this.#timeoutMs;
    return Math.min(timeout, this.#nextProbeAt());
  }

  /** Expires probes without an answer and says what to send. To be called at `nextWake()`; more often does no harm. */
  tick(now: number): ProberTick {
    if (this.#dead) return {};
    while (this.#outstanding.length > 0 && now - this.#outstanding[0]!.sentAt >= this.#timeoutMs) {
      this.#outstanding.shift();
      this.#finish(false);
    }
    if (this.#trailingFailures >= DEAD_FAILURES && this.#loss() > DEAD_LOSS) {
      this.#dead = true;
      this.#outstanding.length = 0;
      return { dead: true };
    }
    if (now < this.#nextProbeAt()) return {};
    this.#lastSentAt = now;
    this.#sent += 1;
    this.#sequence = (this.#sequence + 1) >>> 0;
    const probe = {
      sequence: this.#sequence,
      nonceHigh: this.#random32(),
      nonceLow: this.#random32(),
      sentAt: now,
    };
    this.#outstanding.push(probe);
    return { send: encode(probe) };
  }

  /**
   * Takes what the peer sent: a probe is answered, an answer is measured. Anything else, an answer nobody waits for and
   * probes beyond 16 a second are ignored.
   */
  receive(
    payload: Uint8Array,
    now: number,
  ): { readonly reply?: Uint8Array; readonly roundTripMs?: number } {
    if (payload.length !== PROBE_BYTES) return {};
    const view = new DataView(payload.buffer, payload.byteOffset, PROBE_BYTES);
    const kind = view.getUint8(0);
    if (kind === KIND_PROBE) {
      if (!this.#mayReply(now)) return {};
      const reply = payload.slice();
      reply[0] = KIND_PONG;
      return { reply };
    }
    const roundTripMs = kind === KIND_PONG ? this.#answered(view, now) : undefined;
    return roundTripMs === undefined ? {} : { roundTripMs };
  }

  #answered(pong: DataView, now: number): number | undefined {
    const at = this.#outstanding.findIndex(({ sequence, nonceHigh, nonceLow }) =>
      sequence === pong.getUint32(1) && nonceHigh === pong.getUint32(5) &&
      nonceLow === pong.getUint32(9)
    );
    const probe = this.#outstanding[at];
    // A late answer has been counted as a failure, even when no tick came between the time-out and it.
    if (probe === undefined || now - probe.sentAt >= this.#timeoutMs) return undefined;
    this.#outstanding.splice(at, 1);
    const rttMs = Math.max(SHORTEST_MS, now - probe.sentAt);
    this.#latencyMs = this.#latencyMs === null
      ? rttMs
      : this.#latencyMs + ALPHA * (rttMs - this.#latencyMs);
    if (this.#lastRttMs !== null) {
      this.#jitterMs += (Math.abs(rttMs - this.#lastRttMs) - this.#jitterMs) / 16;
    }
    this.#lastRttMs = rttMs;
    this.#finish(true);
    return rttMs;
  }

  #finish(success: boolean): void {
    this.#window.push(success);
    if (this.#window.length > WINDOW) this.#window.shift();
    this.#trailingFailures = success ? 0 : this.#trailingFailures + 1;
  }

  #loss(): number {
    if (this.#window.length === 0) return 0;
    return this.#window.filter((success) => !success).length / this.#window.length;
  }

  #nextProbeAt(): number {
    if (this.#trailingFailures > 0) return this.#lastSentAt + this.#suspectIntervalMs;
    const first = this.#sent < FIRST_PROBES;
    return this.#lastSentAt + (first ? this.#firstIntervalMs : this.#intervalMs);
  }

  #random32(): number {
    return Math.floor(this.#random() * 2 ** 32);
  }

  #mayReply(now: number): boolean {
    if (now - this.#repliesSince >= 1000) {
      this.#repliesSince = now;
      this.#replies = 0;
    }
    this.#replies += 1;
    return this.#replies <= MOST_REPLIES_PER_SECOND;
  }
}

function encode({ sequence, nonceHigh, nonceLow }: Outstanding): Uint8Array {
  const payload = new Uint8Array(PROBE_BYTES);
  const view = new DataView(payload.buffer);
  view.setUint8(0, KIND_PROBE);
  view.setUint32(1, sequence);
  view.setUint32(5, nonceHigh);
  view.setUint32(9, nonceLow);
  return payload;
}
