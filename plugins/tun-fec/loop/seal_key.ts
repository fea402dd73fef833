import {
  nonceAt,
  numberSpace,
  numberSpaces,
  segmentHead,
  segmentKind,
  writeHead,
} from "../wire/segment.ts";
import type { DirectionKey } from "../keys/key_agreement.ts";
import type { LoopMemory, SegmentCipher } from "./ports.ts";

/** What is sealed for one peer with: the counters live and die with the key, so that no nonce is used twice under it. */
export class SealKey implements Disposable {
  readonly epoch: number;
  readonly receiver: number;
  /** Segments sealed. */
  sealed = 0;
  /** Of those, how many are known outside of the loop. */
  said = 0;
  readonly #key: DirectionKey;
  readonly #view: DataView;
  readonly #cipher: SegmentCipher;
  /** Next counter of each number space. */
  readonly #counters = new Float64Array(numberSpaces);

  constructor(key: DirectionKey, memory: LoopMemory, cipher: SegmentCipher) {
    this.epoch = key.epoch;
    this.receiver = key.receiver;
    this.#key = key;
    this.#view = memory.view;
    this.#cipher = cipher;
  }

  /**
   * Seals a payload where it lies, behind the room for its head.
   * @param at of the head
   * @param word its fragment word
   * @param receiver 0 for the name its receiver gave the key
   * @returns its counter
   */
  seal(at: number, word: number, receiver: number, length: number): number {
    const space = numberSpace(word);
    const counter = this.#counters[space]!;
    this.#counters[space] = counter + 1;
    this.sealed++;
    writeHead(this.#view, at, segmentKind.data, receiver || this.receiver, word, counter);
    const text = at + segmentHead;
    this.#cipher.seal(at + nonceAt, text, length, text + length);
    return counter;
  }

  /** Told twice, a key must not begin to count anew. */
  is({ epoch, receiver, key }: DirectionKey): boolean {
    return this.epoch === epoch && this.receiver === receiver &&
      key.every((byte, i) => byte === this.#key.key[i]);
  }

  [Symbol.dispose](): void {
    this.#cipher[Symbol.dispose]();
  }
}
