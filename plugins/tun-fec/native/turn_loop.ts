import type { LoopCommand } from "../loop/types.ts";

/** A packet loop as its thread drives it. Time is monotonic milliseconds. */
export interface TurnLoop {
  command(command: LoopCommand, now: number): void;
  /** Carries what waits at either port, a bounded amount of each. */
  turn(now: number): unknown;
  /** What time alone brings. @returns milliseconds until there may be more of it */
  tick(now: number): number;
}
