import { Histogram } from "../metrics/mod.ts";
import type { MetricHistogram } from "../plugin/types.ts";
import { LinkProber } from "../router/mod.ts";
import type { Link } from "./link_manager.ts";
import { WakeTimer } from "./wake_timer.ts";

/** First byte of a datagram: what it is. */
export const datagramKind = { probe: 1, data: 2 } as const;

/** Seconds: from the same machine to the other side of the world over a satellite. */
const roundTripBounds = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
];

export interface LinkMeasure {
  readonly latencyMs: number;
  readonly loss: number;
}

/** Measures every session with datagrams of its own, so that the loss it sees is the loss packets see. */
export class ProbeDriver implements Disposable {
  readonly #probers = new Map<Link, LinkProber>();
  readonly #timer: WakeTimer;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #onDead: (link: Link) => void;
  readonly #onMeasure: () => void;
  readonly #onData: (link: Link, payload: Uint8Array) => void;
  readonly #roundTrips = new Histogram(roundTripBounds);

  constructor(options: {
    now: () => number;
    random: () => number;
    onDead: (link: Link) => void;
    onMeasure: () => void;
    /** A datagram of the data plane; valid until this returns. */
    onData: (link: Link, payload: Uint8Array) => void;
  }) {
    this.#now = options.now;
    this.#random = options.random;
    this.#onDead = options.onDead;
    this.#onMeasure = options.onMeasure;
    this.#onData = options.onData;
    this.#timer = new WakeTimer({
      now: options.now,
      tick: (now) => this.#tick(now),
      nextWake: () => {
        let due = Infinity;
        for (const prober of this.#probers.values()) due = Math.min(due, prober.nextWake());
        return due;
      },
    });
  }

  /** Probes the link until its session ends. */
  async run(link: Link): Promise<void> {
    this.#probers.set(link, new LinkProber({ random: this.#random }));
    this.#timer.update();
    for (;;) {
      const datagram = await link.session.receiveDatagram();
      if (datagram === null) break;
      const [kind] = datagram;
      if (kind === datagramKind.probe) this.#receive(link, datagram.subarray(1));
      else if (kind === datagramKind.data) this.#onData(link, datagram.subarray(1));
    }
    this.#probers.delete(link);
    this.#timer.update();
  }

  measure(link: Link): LinkMeasure | undefined {
    const quality = this.#probers.get(link)?.quality;
    if (quality === undefined || quality.latencyMs === null) return undefined;
    return { latencyMs: quality.latencyMs, loss: quality.loss };
  }

  /** Round trips of all links since the start, in seconds. */
  get roundTrips(): MetricHistogram {
    return this.#roundTrips.snapshot();
  }

  #receive(link: Link, payload: Uint8Array): void {
    const prober = this.#probers.get(link);
    const outcome = prober?.receive(payload, this.#now());
    if (outcome?.roundTripMs !== undefined) this.#roundTrips.observe(outcome.roundTripMs / 1000);
    if (outcome?.reply !== undefined) this.#send(link, outcome.reply);
    else this.#onMeasure();
    this.#timer.update();
  }

  #tick(now: number): void {
    for (const [link, prober] of this.#probers) {
      const outcome = prober.tick(now);
      if (outcome.send !== undefined) this.#send(link, outcome.send);
      if (outcome.dead) this.#onDead(link);
    }
    this.#onMeasure();
  }

  #send(link: Link, payload: Uint8Array): void {
    const datagram = new Uint8Array(payload.length + 1);
    datagram[0] = datagramKind.probe;
    datagram.set(payload, 1);
    // A probe that cannot even be queued counts as lost, which is what the window is for.
    link.session.sendDatagram(datagram);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
