/** What a network does to datagrams; each a share of all, from 0 to 1. */
export interface Impairments {
  readonly lost: number;
  /** Overtaken by others. */
  readonly late: number;
  /** Delivered, and once more later. */
  readonly twice: number;
  /** Datagrams that overtake a late one, at most. */
  readonly overtaking: number;
}

/** What to do with datagrams, as the line sees them. */
export interface LineEnds<T> {
  /** Sends one on, now. */
  deliver(datagram: T): void;
  /** One that stays for a while: what is delivered then; undefined when there is no room. */
  keep(datagram: T): T | undefined;
}

export interface LineCounts {
  passed: number;
  lost: number;
  late: number;
  twice: number;
}

/** Milliseconds after which a late datagram comes even if nothing overtakes it. */
const longestMs = 5;

/** One direction of a network that loses, reorders and repeats. Time and randomness are given. */
export class ImpairedLine<T> {
  readonly counts: LineCounts = { passed: 0, lost: 0, late: 0, twice: 0 };
  readonly #impairments: Impairments;
  readonly #ends: LineEnds<T>;
  readonly #random: () => number;
  #held: { readonly datagram: T; readonly dueAt: number; overtaking: number }[] = [];

  /** @param random uniform in [0, 1) */
  constructor(impairments: Impairments, ends: LineEnds<T>, random: () => number) {
    this.#impairments = impairments;
    this.#ends = ends;
    this.#random = random;
  }

  /** Takes a datagram. */
  push(datagram: T, now: number): void {
    const { lost, late, twice } = this.#impairments;
    const fate = this.#random();
    if (fate < lost) {
      this.counts.lost++;
    } else if (fate < lost + late) {
      if (this.#hold(datagram, now)) this.counts.late++;
      else this.counts.lost++;
    } else {
      if (fate < lost + late + twice && this.#hold(datagram, now)) this.counts.twice++;
      this.#pass(datagram);
      this.#overtaken();
    }
  }

  /** Lets go what nothing has overtaken in time. */
  tick(now: number): void {
    this.#release((held) => now >= held.dueAt);
  }

  /** Datagrams that are late at present. */
  get waiting(): number {
    return this.#held.length;
  }

  #hold(datagram: T, now: number): boolean {
    const kept = this.#ends.keep(datagram);
    if (kept === undefined) return false;
    const overtaking = 1 + Math.floor(this.#random() * this.#impairments.overtaking);
    this.#held.push({ datagram: kept, dueAt: now + longestMs, overtaking });
    return true;
  }

  #overtaken(): void {
    if (this.#held.length === 0) return;
    for (const held of this.#held) held.overtaking--;
    this.#release((held) => held.overtaking < 0);
  }

  #release(due: (held: { readonly dueAt: number; readonly overtaking: number }) => boolean): void {
    const released = this.#held.filter(due);
    if (released.length === 0) return;
    this.#held = this.#held.filter((held) => !due(held));
    for (const { datagram } of released) this.#pass(datagram);
  }

  #pass(datagram: T): void {
    this.counts.passed++;
    this.#ends.deliver(datagram);
  }
}
