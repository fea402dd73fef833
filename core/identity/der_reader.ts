import { PulseError } from "../errors/mod.ts";
import { derTag } from "./der_writer.ts";

/** Bytes that are not DER, or not the DER that was expected. Parsers wrap it into an error of their own. */
export class DerError extends PulseError {
  override readonly name = "DerError";
  constructor(message: string) {
    super("DER_MALFORMED", message);
  }
}

/** One tag-length-value inside a larger buffer; nothing is copied. */
export interface DerElement {
  readonly tag: number;
  /** Tag, length and contents. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/**
 * Reads DER strictly: definite minimal lengths below 64 KiB, one-byte tags, everything inside its container. The caller
 * calls `end()` after each container, so trailing garbage is an error too.
 */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** Tag of the next element, -1 at the end. */
  get nextTag(): number {
    return this.#bytes[this.#offset] ?? -1;
  }

  /** @throws {DerError} */
  next(what: string): DerElement {
    const bytes = this.#bytes;
    const start = this.#offset;
    if (start + 2 > bytes.length) throw new DerError(`${what} is missing or truncated`);
    const tag = bytes[start]!;
    if ((tag & 0x1f) === 0x1f) throw new DerError(`${what} has a long tag`);
    let length = bytes[start + 1]!;
    let contentStart = start + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 2) throw new DerError(`${what} has an unsupported length`);
      if (contentStart + count > bytes.length) throw new DerError(`${what} is truncated`);
      length = count === 1
        ? bytes[contentStart]!
        : (bytes[contentStart]! << 8) | bytes[contentStart + 1]!;
      if (length < (count === 1 ? 0x80 : 0x100)) {
        throw new DerError(`${what} has a length that is not minimal`);
      }
      contentStart += count;
    }
    const end = contentStart + length;
    if (end > bytes.length) throw new DerError(`${what} is truncated`);
    this.#offset = end;
    return {
      tag,
      whole: bytes.subarray(start, end),
      content: bytes.subarray(contentStart, end),
    };
  }

  /** @throws {DerError} another tag, or nothing left */
  expect(tag: number, what: string): DerElement {
    const element = this.next(what);
    if (element.tag !== tag) {
      throw new DerError(
        `${what} has tag ${element.tag.toString(16)}, ${tag.toString(16)} expected`,
      );
    }
    return element;
  }

  /** A reader over the contents of the next element. */
  enter(tag: number, what: string): DerReader {
    return new DerReader(this.expect(tag, what).content);
  }

  /** @throws {DerError} something is left */
  end(what: string): void {
    if (!this.atEnd) throw new DerError(`${what} is followed by something unexpected`);
  }

  /** Contents of an OBJECT IDENTIFIER as hex. */
  oid(what: string): string {
    const content = this.expect(derTag.oid, what).content;
    if (content.length === 0 || content.length > 32) throw new DerError(`${what} is not an OID`);
    return content.toHex();
  }

  boolean(what: string): boolean {
    const content = this.expect(derTag.boolean, what).content;
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw new DerError(`${what} is not a DER BOOLEAN`);
    }
    return content[0] === 0xff;
  }

  /** Magnitude of a non-negative INTEGER of at most 20 bytes, without a sign byte. */
  unsigned(what: string): Uint8Array {
    const content = this.expect(derTag.integer, what).content;
    const first = content[0];
    const second = content[1];
    if (first === undefined || content.length > 21) throw new DerError(`${what} has a bad length`);
    if (first >= 0x80) throw new DerError(`${what} is negative`);
    if (first !== 0 || second === undefined) return content;
    if (second < 0x80) throw new DerError(`${what} is not minimal`);
    return content.subarray(1);
  }

  /** BIT STRING without unused bits, of exactly this many bytes. */
  bits(length: number, what: string): Uint8Array {
    const content = this.expect(derTag.bitString, what).content;
    if (content.length !== length + 1 || content[0] !== 0) {
      throw new DerError(`${what} is not a BIT STRING of ${length} bytes`);
    }
    return content.subarray(1);
  }

  /** UTCTime or GeneralizedTime in the only forms RFC 5280 allows; milliseconds since the epoch. */
  time(what: string): number {
    const { tag, content } = this.next(what);
    const text = asciiText(content, what);
    const pattern = tag === derTag.utcTime
      ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
      : tag === derTag.generalizedTime
      ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
      : null;
    const match = pattern?.exec(text);
    if (match === undefined || match === null) throw new DerError(`${what} is not a time`);
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as number[];
    const fullYear = tag === derTag.utcTime ? (year! >= 50 ? 1900 + year! : 2000 + year!) : year!;
    const value = Date.UTC(fullYear, month! - 1, day!, hour!, minute!, second!);
    const check = new Date(value);
    if (
      fullYear < 1950 || check.getUTCMonth() !== month! - 1 || check.getUTCDate() !== day! ||
      check.getUTCHours() !== hour! || check.getUTCMinutes() !== minute! ||
      check.getUTCSeconds() !== second!
    ) {
      throw new DerError(`${what} is not a date that exists`);
    }
    return value;
  }
}

/** @throws {DerError} bytes above 127 */
export function asciiText(bytes: Uint8Array, what: string): string {
  let text = "";
  for (const byte of bytes) {
    if (byte > 0x7e || byte < 0x20) throw new DerError(`${what} is not plain ASCII`);
    text += String.fromCharCode(byte);
  }
  return text;
}
