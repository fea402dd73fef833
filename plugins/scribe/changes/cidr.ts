import { ipToText, parseIpv4, parseIpv6 } from "../../../core/identity/mod.ts";
import { ScribeError } from "../errors.ts";

/** A CIDR in its one spelling, host bits zero. @throws {ScribeError} EXIT_ROUTE_INVALID */
export function canonicalCidr(text: string): string {
  const match = /^([^/]{1,45})\/(\d{1,3})$/.exec(text);
  const bytes = parseIpv4(match?.[1] ?? "") ?? parseIpv6(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  if (bytes === null || !(prefix <= bytes.length * 8)) {
    throw new ScribeError(
      "EXIT_ROUTE_INVALID",
      `"${text.slice(0, 64)}" is not a CIDR; write 192.168.7.0/24 or fd00:7::/64`,
    );
  }
  for (const [i, byte] of bytes.entries()) {
    const bits = Math.max(0, Math.min(8, prefix - i * 8));
    bytes[i] = byte & (0xff << (8 - bits));
  }
  return `${ipToText(bytes)}/${prefix}`;
}
