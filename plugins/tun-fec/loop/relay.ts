import type { Drops } from "./drops.ts";
import type { Label } from "./label.ts";
import { trainBytes, trainSegments } from "./limits.ts";
import type { Outbox } from "./outbox.ts";
import type { LoopMemory } from "./ports.ts";

/**
 * Passes on what is sealed for others: writes the next number where the last one was, and sends from where it was received.
 * Segments that lie one behind the other and go the same way leave in one send, also when each came alone.
 */
export class Relay {
  readonly #view: DataView;
  readonly #outbox: Outbox;
  readonly #drops: Drops;
  #label: Label | undefined;
  #at = 0;
  #length = 0;
  #segment = 0;
  #count = 0;
  #tos = 0;

  constructor(memory: LoopMemory, outbox: Outbox, drops: Drops) {
    this.#view = memory.view;
    this.#outbox = outbox;
    this.#drops = drops;
  }

  /** Takes a segment that begins with a head; its memory must stay as it is until `flush()`. */
  take(label: Label, at: number, length: number, tos: number): void {
    this.#view.setUint32(at + 4, label.next);
    label.segments++;
    label.bytes += length;
    const joins = label === this.#label && at === this.#at + this.#length &&
      length <= this.#segment && tos === this.#tos && this.#count < trainSegments &&
      this.#length + length <= trainBytes;
    if (!joins) {
      this.flush();
      this.#label = label;
      this.#at = at;
      this.#length = 0;
      this.#segment = length;
      this.#count = 0;
      this.#tos = tos;
    }
    this.#length += length;
    this.#count++;
    if (length < this.#segment) this.flush();
  }

  /** Sends what was gathered. */
  flush(): void {
    const label = this.#label;
    if (label === undefined) return;
    this.#label = undefined;
    const { address, queue } = label;
    if (!this.#outbox.send(queue, address, this.#at, this.#length, this.#segment, this.#tos)) {
      this.#drops.add("tooBig");
    }
  }
}
