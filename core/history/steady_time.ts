import type { Clock } from "../clock/clock.ts";

/**
 * Wall-clock time that never runs ahead of the monotonic clock, for deciding what is old enough to be deleted: a clock that jumps into
 * the future must not cost the history that is right. What a clock set forward leaves undeleted, limits of size delete later.
 */
export class SteadyTime {
  readonly #clock: Clock;
  readonly #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.wall() - clock.now();
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return Math.min(this.#clock.wall(), this.#clock.now() + this.#offset);
  }
}
