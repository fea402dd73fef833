/** Sum of 16-bit words, not yet folded. @param length even, or the last byte counts as the high half of a word (RFC 1071) */
export function sumWords(view: DataView, at: number, length: number, start = 0): number {
  let sum = start;
  const end = at + (length & ~1);
  for (let i = at; i < end; i += 2) sum += view.getUint16(i);
  if ((length & 1) === 1) sum += view.getUint8(end) << 8;
  return sum;
}

/** The sum in 16 bits, with end-around carries. */
export function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Writes the checksum of an IPv4 header. */
export function writeIpv4Checksum(view: DataView, at: number, length: number): void {
  view.setUint16(at + 10, 0);
  view.setUint16(at + 10, ~fold(sumWords(view, at, length)) & 0xffff);
}

/**
 * Sum over the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1), folded: what the checksum field holds where the kernel or the
 * network card adds the rest.
 */
export function pseudoHeaderSum(
  view: DataView,
  ip: number,
  protocol: number,
  transportLength: number,
): number {
  const six = view.getUint8(ip) >>> 4 === 6;
  const addresses = six ? sumWords(view, ip + 8, 32) : sumWords(view, ip + 12, 8);
  return fold(addresses + protocol + (transportLength & 0xffff) + (transportLength >>> 16));
}
