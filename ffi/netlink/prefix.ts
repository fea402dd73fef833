import { ipToText, parseIpv4, parseIpv6 } from "../../core/address/ip_text.ts";
import { FfiError } from "../libc/errors.ts";
import type { Family } from "../libc/family.ts";

/** A network in bytes. */
export interface Prefix {
  readonly family: Family;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly length: number;
}

/** @throws {FfiError} FFI_ARGUMENT */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  if (bytes !== null) return bytes;
  throw new FfiError("FFI_ARGUMENT", `"${text.slice(0, 64)}" is not an IPv4 or IPv6 address`);
}

/** `10.0.0.0/8`, `fd00::/8`. @throws {FfiError} FFI_ARGUMENT */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf("/");
  const address = addressBytes(slash < 0 ? text : text.slice(0, slash));
  const most = address.length * 8;
  const digits = slash < 0 ? `${most}` : text.slice(slash + 1);
  const length = Number(digits);
  if (!/^\d{1,3}$/.test(digits) || length > most) {
    throw new FfiError("FFI_ARGUMENT", `"${text.slice(0, 64)}" is not a network like 10.0.0.0/8`);
  }
  return { family: address.length === 4 ? "ipv4" : "ipv6", address, length };
}

/** The inverse of `addressBytes()`. @throws {FfiError} FFI_MESSAGE the kernel gave no address */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4 || bytes.length === 16) return ipToText(bytes);
  throw new FfiError("FFI_MESSAGE", `an address has ${bytes.length} bytes`);
}

/** The inverse of `parsePrefix()`; without bytes it is the whole family: `0.0.0.0/0`, `::/0`. */
export function prefixText(family: Family, bytes: Uint8Array | undefined, length: number): string {
  return `${ipText(bytes ?? new Uint8Array(family === "ipv4" ? 4 : 16))}/${length}`;
}
