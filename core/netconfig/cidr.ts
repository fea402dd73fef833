import { ipToText, parseIpv4, parseIpv6 } from "../identity/ip_text.ts";

/** Whether it is `address/length` in its one spelling: canonical address, no host bits, no leading zeros. */
export function isCanonicalCidr(text: string): boolean {
  const match = /^([0-9a-f.:]{2,39})\/(0|[1-9]\d{0,2})$/.exec(text);
  if (match === null) return false;
  const address = match[1]!;
  const bytes = parseIpv4(address) ?? parseIpv6(address);
  const length = Number(match[2]);
  if (bytes === null || ipToText(bytes) !== address || length > bytes.length * 8) return false;
  return bytes.every((byte, i) => {
    const hostBits = Math.min(8, Math.max(0, (i + 1) * 8 - length));
    return (byte & (2 ** hostBits - 1)) === 0;
  });
}

/** Whether it is a canonical IPv4 range with room for nodes. */
export function isMeshCidr(text: string): boolean {
  const length = Number(text.split("/")[1]);
  return isCanonicalCidr(text) && !text.includes(":") && length >= 8 && length <= 30;
}
