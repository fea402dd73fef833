/** Which IP. An `ipv6` socket that is dual-stack speaks IPv4, too, in mapped addresses that stay inside ffi/. */
export type Family = "ipv4" | "ipv6";

/** AF_INET and AF_INET6, for system calls and in netlink's headers. */
export const familyNumbers: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };

/** Undefined for a family that is not IP. */
export function familyOf(number: number): Family | undefined {
  return number === familyNumbers.ipv4
    ? "ipv4"
    : number === familyNumbers.ipv6
    ? "ipv6"
    : undefined;
}
