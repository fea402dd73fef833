import { seededRandom } from "../../../core/router/testing.ts";
import { FecDecoder } from "../../../plugins/tun-fec/fec/decoder.ts";
import { FecEncoder } from "../../../plugins/tun-fec/fec/encoder.ts";
import type { MakeFecBuffer } from "../../../plugins/tun-fec/fec/fec_buffer.ts";
import { overheadCap } from "../../../plugins/tun-fec/fec/scheme.ts";
import { segmentKind, writeHead } from "../../../plugins/tun-fec/wire/segment.ts";
import { randomLoss } from "../../lab/loss_model.ts";

const bytes = 1_472;
const room = bytes + 64;

/** The strongest parity over segments of which a tenth is lost: made at one end, put to use at the other, no wire between. */
export class ParityCodec {
  readonly #encoder: FecEncoder;
  readonly #decoder: FecDecoder;
  readonly #segment = crypto.getRandomValues(new Uint8Array(room));
  readonly #view = new DataView(this.#segment.buffer);
  readonly #parity = new Uint8Array(room);
  readonly #lost = randomLoss(0.1, seededRandom(1));
  #counter = 0;
  #missing = 0;
  #repaired = 0;

  constructor(make: MakeFecBuffer) {
    this.#encoder = new FecEncoder(room, 0, overheadCap, make);
    this.#encoder.scheme = { group: 32, rows: 10, depth: 1 };
    this.#decoder = new FecDecoder(room, make);
  }

  /** @throws {Error} what was lost has not been repaired */
  send(segments: number): void {
    for (let i = 0; i < segments; i++) {
      const counter = this.#counter++;
      writeHead(this.#view, 0, segmentKind.data, 1, 0, counter);
      const due = this.#encoder.add(this.#segment, 0, bytes, counter);
      if (this.#lost.next()) this.#missing++;
      else this.#decoder.add(this.#segment, 0, bytes, counter);
      for (let n = 0; n < due; n++) this.#take(n);
    }
    if (this.#repaired < this.#missing * 0.95) {
      throw new Error(`of ${this.#missing} segments ${this.#repaired} were repaired`);
    }
  }

  #take(index: number): void {
    const length = this.#encoder.take(index, 1, this.#parity, 0);
    if (this.#lost.next()) return;
    this.#decoder.addParity(this.#parity, 0, length, () => this.#repaired++);
  }
}
