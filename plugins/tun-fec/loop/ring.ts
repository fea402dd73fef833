import { largestMessage, receiveRing } from "./limits.ts";
import type { LoopMemory } from "./ports.ts";

/** Where messages are received, one behind the other, round and round. */
export class Ring {
  readonly #from: number;
  #offset = 0;
  #laps = 0;

  constructor(memory: LoopMemory) {
    this.#from = memory.allocate(receiveRing, 4096);
  }

  /** Where there is room for a message. */
  get at(): number {
    return this.#from + this.#offset;
  }

  /** The same in the stream of all bytes ever received. */
  get position(): number {
    return this.#laps * receiveRing + this.#offset;
  }

  /** What was received before this lies where the next message may. */
  get overwritten(): number {
    return this.position - receiveRing + largestMessage;
  }

  /**
   * Keeps a message of so many bytes.
   * @param close whether the next one follows without a gap, as far as whole words allow; else it begins at a cache line
   * @returns whether a new lap begins
   */
  keep(length: number, close: boolean): boolean {
    const step = close ? 3 : 63;
    this.#offset += (length + step) & ~step;
    if (this.#offset + largestMessage <= receiveRing) return false;
    this.#offset = 0;
    this.#laps++;
    return true;
  }
}
