import { PulseError } from "../errors/mod.ts";

/** Where something listens or can be dialled. `host` is bare: no brackets around IPv6. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Longest DNS name, RFC 1035 section 2.3.4. */
const maxHost = 253;

/**
 * `host:port`, `[v6]:port` or `:port` (empty host).
 * @throws {PulseError} ADDRESS_INVALID
 */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || host.length > maxHost || port > 65_535) {
    throw new PulseError(
      "ADDRESS_INVALID",
      `"${text.slice(0, 80)}" is not an address; write host:port or [ipv6]:port`,
    );
  }
  return { host, port };
}

/** The inverse of `parseHostPort`. */
export function formatHostPort(address: HostPort): string {
  return address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

/** True for the addresses one binds to but cannot dial: `0.0.0.0`, `::` and the empty host. */
export function isWildcard(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}
