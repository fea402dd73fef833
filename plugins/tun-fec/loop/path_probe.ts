import { smallestPath } from "./limits.ts";
import { RoundTrips } from "./round_trips.ts";

/**
 * Sizes of datagrams, without headers of IP and UDP, that paths are made for: Ethernet's with jumbo frames and without, PPPoE,
 * tunnels in tunnels. All above the current one are tried at once, so that a search takes one round trip.
 */
export const ladder = [8_972, 4_000, 1_472, 1_464, 1_452, 1_432, 1_412, 1_392, 1_372, 1_332, 1_292];

/** Bytes of a probe that asks only whether there is anybody. */
export const smallProbe = 64;

/** Milliseconds. */
export const probeTimes = {
  /** Between two looks at a way that is used, and at one that is not: what lies on it may forget it otherwise. */
  used: 500,
  idle: 20_000,
  /** Between two looks at one that seems broken. */
  dead: 1_000,
  /** How long an answer is waited for: three round trips, within this. */
  answerLeast: 250,
  answerMost: 1_000,
  /** A path may carry more after a while. */
  raise: 60_000,
} as const;

/** Probes in a row without an answer: after so many the path is taken for broken, or for one that swallows what is large. */
export const unanswered = { all: 3, large: 4 } as const;
/** Rounds of a search: a probe may be lost as any other datagram. */
const searchRounds = 3;
const none: readonly number[] = [];
/** Probes under way whose time is known. */
const remembered = 64;

/**
 * Finds how large the datagrams may be that a path carries, and whether it carries any (RFC 8899: packetization layer path MTU
 * discovery). Probes are sealed segments, answered by the other end alone. What it sends is returned; time is milliseconds.
 */
export class PathProbe {
  /** Bytes of datagrams that have been answered. */
  size: number;
  /** Whether anything is answered. */
  alive = true;
  readonly #roundTrips = new RoundTrips();
  readonly #base: number;
  #limit = Infinity;
  #number = 0;
  readonly #sentAt = new Float64Array(remembered);
  readonly #sentBytes = new Uint16Array(remembered);
  /** A look is under way, until `#lookEnds`: what of it has been answered. */
  #looking = false;
  #lookEnds = 0;
  #heardLarge = false;
  #heardAny = false;
  #missedLarge = 0;
  #missedAny = 0;
  /** When there may be the next look, and when there is one in any case. */
  #nextLook = 0;
  #idleLook = 0;
  #searches = 0;
  #searchAt = 0;
  #raiseAt = 0;

  constructor(isIpv4: boolean) {
    this.size = this.#base = isIpv4 ? smallestPath.ipv4 : smallestPath.ipv6;
  }

  /** Whether the last look was answered: while it was not, packets take other paths where there are any. */
  get sure(): boolean {
    return this.alive && this.#missedAny === 0;
  }

  /** A search has come to its end. */
  settled(now: number): boolean {
    return this.#searches === 0 && this.#raiseAt > 0 && now >= this.#searchAt;
  }

  /**
   * @param used whether packets were sent since the last time
   * @returns bytes of the probes that are due
   */
  due(now: number, used: boolean): readonly number[] {
    const doubtful = this.#missedAny + this.#missedLarge > 0;
    const quiet = !used && !this.#looking && !doubtful && this.#searches === 0;
    if (quiet && now < this.#idleLook) return none;
    const sizes: number[] = [];
    if (this.#looking && now >= this.#lookEnds) this.#judge(now);
    const wanted = used || this.#missedAny + this.#missedLarge > 0;
    if (!this.#looking && (now >= this.#idleLook || wanted && now >= this.#nextLook)) {
      this.#looking = true;
      this.#lookEnds = now + this.#patience;
      this.#idleLook = now + probeTimes.idle;
      this.#heardAny = false;
      this.#heardLarge = !this.alive;
      sizes.push(smallProbe);
      if (this.alive) sizes.push(this.size);
    }
    if (this.alive && used && now >= this.#raiseAt) {
      this.#limit = Infinity;
      this.#search(now);
    }
    if (this.#searches > 0 && now >= this.#searchAt) {
      this.#searches--;
      this.#searchAt = now + this.#patience;
      for (const size of ladder) if (size > this.size && size < this.#limit) sizes.push(size);
    }
    return sizes;
  }

  /** A probe is sent. @returns its number */
  sent(bytes: number, now: number): number {
    this.#number = this.#number + 1 >>> 0;
    const slot = this.#number % remembered;
    this.#sentAt[slot] = now;
    this.#sentBytes[slot] = bytes;
    return this.#number;
  }

  /** @returns whether the size or the state is another one now */
  answered(number: number, bytes: number, now: number): boolean {
    // Only what was asked lately.
    const slot = number % remembered;
    const asked = (this.#number - number >>> 0) < remembered && this.#sentBytes[slot] === bytes;
    if (!asked) return false;
    this.#roundTrips.add(now - this.#sentAt[slot]!, now);
    const before = this.size;
    const doubted = !this.sure;
    this.alive = this.#heardAny = true;
    this.#missedAny = 0;
    if (bytes >= this.size) {
      this.#heardLarge = true;
      this.#missedLarge = 0;
      this.size = bytes;
    }
    return doubted || this.size !== before;
  }

  /** The system itself refuses datagrams of this size. @returns whether the size is another one now */
  refused(bytes: number, now: number): boolean {
    this.#limit = Math.min(this.#limit, bytes);
    if (bytes > this.size || this.size === this.#base) return false;
    this.#shrink(now);
    return true;
  }

  /** An answer is wanted soon, and asked for until there is one. */
  ask(): void {
    this.#idleLook = -Infinity;
  }

  /** Of the last answer; 0 before the first. */
  get roundTrip(): number {
    return this.#roundTrips.last;
  }

  /** Answers take much longer than they could: something on the path is full. */
  inflated(now: number): boolean {
    return this.#roundTrips.inflated(now);
  }

  /** It leads elsewhere now: nothing is known of it. */
  moved(): void {
    this.size = this.#base;
    this.alive = true;
    this.#roundTrips.clear();
    this.#limit = Infinity;
    this.#looking = false;
    this.#missedLarge = this.#missedAny = this.#searches = 0;
    this.#raiseAt = this.#nextLook = 0;
  }

  /** What came of the look. */
  #judge(now: number): void {
    this.#looking = false;
    if (!this.#heardAny) this.#missedAny++;
    if (!this.#heardLarge) this.#missedLarge++;
    if (this.#missedAny >= unanswered.all) this.alive = false;
    else if (this.#missedLarge >= unanswered.large && this.size > this.#base) this.#shrink(now);
    if (!this.alive) this.#nextLook = now + probeTimes.dead;
    else if (this.#heardAny && this.#heardLarge) this.#nextLook = now + probeTimes.used;
    else this.#nextLook = now;
  }

  #shrink(now: number): void {
    this.size = this.#base;
    this.#missedLarge = 0;
    this.#search(now);
  }

  #search(now: number): void {
    this.#searches = searchRounds;
    this.#searchAt = now;
    this.#raiseAt = now + probeTimes.raise;
  }

  get #patience(): number {
    return Math.min(probeTimes.answerMost, Math.max(probeTimes.answerLeast, 3 * this.roundTrip));
  }
}
