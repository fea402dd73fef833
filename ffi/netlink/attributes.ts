import { FfiError } from "../libc/errors.ts";

/*
 * The type-length-value attributes of netlink, as pure functions: u16 length with the header's 4 bytes, u16 type, value,
 * padding to 4 bytes. Numbers are in the machine's order, which is little-endian on both architectures, unless said otherwise.
 */

const HEADER = 4;
/** NLA_F_NESTED: the value is attributes again. */
const NESTED = 0x8000;
/** Without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const TYPE_MASK = 0x3fff;
const LONGEST = 0xffff;

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** The length with the padding behind it. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @throws {FfiError} FFI_ARGUMENT the value is longer than an attribute can say */
export function attribute(type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = HEADER + value.length;
  if (length > LONGEST) {
    throw new FfiError("FFI_ARGUMENT", `a netlink attribute of ${length} bytes is too long`);
  }
  const out = new Uint8Array(padded(length));
  const view = new DataView(out.buffer);
  view.setUint16(0, length, true);
  view.setUint16(2, type, true);
  out.set(value, HEADER);
  return out;
}

/** An attribute whose value is attributes. */
export function nested(type: number, attributes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return attribute(type | NESTED, joinBytes(attributes));
}

export function u8(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value);
}

export function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** Big-endian, as netfilter has its numbers. */
export function be32(value: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** For nftables. */
export function be64(value: bigint): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

/** A string with the zero behind it. */
export function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${value}\0`);
}

/** The attributes in a value, in order. @throws {FfiError} FFI_MESSAGE one says a length that cannot be */
export function readAttributes(bytes: Uint8Array): Attribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Attribute[] = [];
  // Less than a header is the padding of what is around it.
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint16(at, true);
    if (length < HEADER || at + length > bytes.length) {
      throw new FfiError("FFI_MESSAGE", `a netlink attribute says it has ${length} bytes`);
    }
    const type = view.getUint16(at + 2, true) & TYPE_MASK;
    found.push({ type, value: bytes.subarray(at + HEADER, at + length) });
    at += padded(length);
  }
  return found;
}

/** Attributes by type; the last one counts. */
export class AttributeMap {
  readonly #values: ReadonlyMap<number, Uint8Array>;

  /** @throws {FfiError} FFI_MESSAGE */
  constructor(bytes: Uint8Array) {
    this.#values = new Map(readAttributes(bytes).map(({ type, value }) => [type, value]));
  }

  bytes(type: number): Uint8Array | undefined {
    return this.#values.get(type);
  }

  /** @throws {FfiError} FFI_MESSAGE it is shorter */
  u32(type: number): number | undefined {
    return number(this.#values.get(type), 4, (view) => view.getUint32(0, true));
  }

  /** @throws {FfiError} FFI_MESSAGE it is shorter */
  be32(type: number): number | undefined {
    return number(this.#values.get(type), 4, (view) => view.getUint32(0));
  }

  /** @throws {FfiError} FFI_MESSAGE it is shorter */
  be64(type: number): bigint | undefined {
    return number(this.#values.get(type), 8, (view) => view.getBigUint64(0));
  }

  /** Up to the zero, or to the end. */
  text(type: number): string | undefined {
    const value = this.#values.get(type);
    if (value === undefined) return undefined;
    const end = value.indexOf(0);
    return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
  }

  /** @throws {FfiError} FFI_MESSAGE */
  nested(type: number): AttributeMap | undefined {
    const value = this.#values.get(type);
    return value === undefined ? undefined : new AttributeMap(value);
  }
}

function number<T>(
  value: Uint8Array | undefined,
  length: number,
  read: (view: DataView) => T,
): T | undefined {
  if (value === undefined) return undefined;
  if (value.length < length) {
    throw new FfiError("FFI_MESSAGE", `a netlink number of ${length} bytes has ${value.length}`);
  }
  return read(new DataView(value.buffer, value.byteOffset, value.byteLength));
}
