import type { DataSocket } from "./wire_port.ts";

/** What the loop's thread is given: files that stay with whoever opened them. */
export interface LoopSetup {
  readonly tun: number;
  readonly socket: DataSocket;
  /** Readable when there are commands. */
  readonly wake: number;
}

/** The thread is there and waits for the setup. */
export const loaded = "loaded";

/** The thread has let go of everything. */
export const ended = "ended";
