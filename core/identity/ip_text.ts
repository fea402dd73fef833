import { parseIpv4, parseIpv6 } from "../address/ip_text.ts";
import { IdentityError } from "./errors.ts";

export { ipToText, parseIpv4, parseIpv6 } from "../address/ip_text.ts";

/**
 * 4 or 16 bytes of an address of either family.
 * @throws {IdentityError} MESH_ADDRESS_INVALID
 */
export function ipToBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseIpv4(text) ?? parseIpv6(text);
  if (bytes === null) {
    throw new IdentityError(
      "MESH_ADDRESS_INVALID",
      `"${text.slice(0, 64)}" is not an IPv4 or IPv6 address`,
    );
  }
  return bytes;
}
