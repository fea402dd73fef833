import { maxNameBytes } from "./constants.ts";

/** A name read from a message. */
export interface ReadName {
  /** Lower case, without the final dot; "" is the root. An octet that is no letter, digit, `-`, `_` or `*` stands as `\DDD`. */
  readonly name: string;
  /** Offset behind it. */
  readonly end: number;
}

/**
 * An uncompressed name, as a question holds it. A dot inside a label comes out as `\046`, so that it cannot be taken for the end of one.
 * @returns null when it is cut off, too long or compressed
 */
export function readName(bytes: Uint8Array, start: number): ReadName | null {
  let name = "";
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return null;
    at++;
    if (length === 0) return at - start > maxNameBytes ? null : { name, end: at };
    if (at + length > bytes.length || at + length - start >= maxNameBytes) return null;
    if (name !== "") name += ".";
    for (const end = at + length; at < end; at++) name += octets[bytes[at]!];
  }
}

/** Offset behind a name that may end in a compression pointer; null when it is cut off. */
export function skipName(bytes: Uint8Array, start: number): number | null {
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || at - start > maxNameBytes) return null;
    if (length === 0) return at + 1;
    if ((length & 0xc0) === 0xc0) return at + 2 <= bytes.length ? at + 2 : null;
    if (length > 63) return null;
    at += 1 + length;
  }
}

/** Wire form of a name whose labels hold no escapes. */
export function encodeName(name: string): Uint8Array {
  const bytes = new Uint8Array(name === "" ? 1 : name.length + 2);
  let at = 0;
  for (const label of name === "" ? [] : name.split(".")) {
    bytes[at++] = label.length;
    for (let n = 0; n < label.length; n++) bytes[at++] = label.charCodeAt(n);
  }
  return bytes;
}

/** Labels of letters, digits, `-` and `_`, lower case, within the lengths of RFC 1035. */
export function isPlainName(name: string): boolean {
  return name.length <= maxNameBytes - 2 &&
    name.split(".").every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
}

/** Lower case, without the final dot. */
export function canonicalName(text: string): string {
  return text.toLowerCase().replace(/\.$/, "");
}

const octets: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  return /[A-Za-z0-9*_-]/.test(character)
    ? character.toLowerCase()
    : `\\${String(octet).padStart(3, "0")}`;
});
