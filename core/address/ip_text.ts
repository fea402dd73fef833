/** Addresses as text and bytes. IPv6 text is canonical (RFC 5952), so equal addresses are equal strings. */

/** 4 bytes, or `null` when it is not a dotted quad without leading zeros. */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return null;
  const out = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!;
    const value = Number(part);
    if (value > 255 || String(value) !== part) return null;
    out[i] = value;
  }
  return out;
}

/** 16 bytes, or `null`. No zone, no embedded IPv4. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length > 39) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const head = groups[0]!;
  const tail = groups[1] ?? [];
  const count = head.length + tail.length;
  if (halves.length === 1 ? count !== 8 : count > 7) return null;
  const out = new Uint8Array(16);
  const put = (group: string, index: number): boolean => {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return false;
    const value = parseInt(group, 16);
    out[index * 2] = value >> 8;
    out[index * 2 + 1] = value & 0xff;
    return true;
  };
  const ok = head.every((group, i) => put(group, i)) &&
    tail.every((group, i) => put(group, 8 - tail.length + i));
  return ok ? out : null;
}

/** Text of 4 or 16 bytes. */
export function ipToText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!);
  // RFC 5952 4.2: shorten the longest run of two or more zero groups, the first one when equal.
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(":");
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}`;
}
