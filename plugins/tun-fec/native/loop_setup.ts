import type { DataSocket } from "./wire_port.ts";

/** What the loop's thread is given: files that stay with whoever opened them. */
export interface LoopSetup {
  /** Of the interface. */
  readonly queues: readonly number[];
  readonly socket: DataSocket;
  /** Readable when there are commands. */
  readonly wake: number;
}

/** Milliseconds between two signs of life from whoever started the loop. */
export const lifeSignMs = 1_000;
/**
 * Seconds of silence after which the loop ends: whoever started it has died, and the next one takes its files over. Of a Worker
 * that dies those that it has started live on. Seconds in which the whole process stood still do not count.
 */
export const silentSeconds = 8;

/** The thread is there and waits for the setup. */
export const loaded = "loaded";

/** The thread has let go of everything. */
export const ended = "ended";
