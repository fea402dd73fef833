import { NetConfigError } from "./errors.ts";
import { maxCounter } from "./limits.ts";

/** Reads big-endian fields in order and says where bytes are missing or left over. @throws {NetConfigError} NETCONFIG_MALFORMED */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** A view of the next bytes. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#malformed("is cut off");
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  uint(length: 1 | 2 | 4 | 6): number {
    let value = 0;
    for (const byte of this.take(length)) value = value * 256 + byte;
    return value;
  }

  /** Bytes behind their own length. */
  sized(prefix: 2 | 4, limit: number): Uint8Array {
    const length = this.uint(prefix);
    if (length > limit) throw this.#malformed(`has a field of ${length} bytes, over ${limit}`);
    return this.take(length);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#malformed("has bytes after its end");
  }

  #malformed(why: string): NetConfigError {
    return new NetConfigError("NETCONFIG_MALFORMED", `${this.#what} ${why}`);
  }
}

/** A number up to 2^48 - 1 as big-endian bytes. */
export function uintBytes(value: number, length: 1 | 2 | 4 | 6): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(value) || value < 0 || value > maxCounter) {
    throw new RangeError(`${value} cannot be written in ${length} bytes`);
  }
  const bytes = new Uint8Array(length);
  let left = value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = left % 256;
    left = Math.floor(left / 256);
  }
  if (left > 0) throw new RangeError(`${value} cannot be written in ${length} bytes`);
  return bytes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
