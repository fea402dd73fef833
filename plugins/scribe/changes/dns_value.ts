import { ipToText, parseIpv4, parseIpv6 } from "../../../core/identity/mod.ts";
import type { DnsRecord } from "../../../core/netconfig/types.ts";
import { ScribeError } from "../errors.ts";

export type DnsType = DnsRecord["type"];

/** Labels of a DNS name; `_` begins those of services and of verifications (RFC 8552). */
const hostLabel = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Room for `.pulse` within the 253 characters of RFC 1035 section 2.3.4. */
const maxRelativeName = 253 - ".pulse".length;
const maxTextBytes = 255;

/**
 * A name below `.pulse`, as the config keeps it: lower case, relative, without the final dot.
 * @throws {ScribeError} DNS_RECORD_INVALID
 */
export function canonicalDnsName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "").replace(/\.pulse$/, "");
  if (!isDnsName(name, maxRelativeName)) {
    throw invalid(`"${text.slice(0, 80)}" is not a name below .pulse; write db or www.shop`);
  }
  return name;
}

/** A record's value in its one spelling. @throws {ScribeError} DNS_RECORD_INVALID */
export function canonicalDnsValue(type: DnsType, text: string): string {
  switch (type) {
    case "A": {
      const bytes = parseIpv4(text);
      if (bytes === null) throw invalid(`"${text.slice(0, 80)}" is not an IPv4 address`);
      return ipToText(bytes);
    }
    case "AAAA": {
      const bytes = parseIpv6(text);
      if (bytes === null) throw invalid(`"${text.slice(0, 80)}" is not an IPv6 address`);
      return ipToText(bytes);
    }
    case "CNAME":
      return hostName(text);
    case "SRV":
      return service(text);
    case "TXT":
      // deno-lint-ignore no-control-regex -- control characters are what is refused
      if (/[\u0000-\u001f\u007f]/.test(text) || textBytes(text) > maxTextBytes) {
        throw invalid(`a TXT value has at most ${maxTextBytes} bytes and no control characters`);
      }
      return text;
  }
}

/** `priority weight port target` (RFC 2782). */
function service(text: string): string {
  const match = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/.exec(text.trim().replace(/\s+/g, " "));
  const numbers = match === null ? [] : [match[1], match[2], match[3]].map(Number);
  if (match === null || numbers.some((value) => value > 65_535)) {
    throw invalid(
      `"${
        text.slice(0, 80)
      }" is not an SRV value; write priority, weight, port and target: 0 5 22 db.pulse`,
    );
  }
  return [...numbers, hostName(match[4] ?? "")].join(" ");
}

function hostName(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  if (!isDnsName(name, 253)) throw invalid(`"${text.slice(0, 80)}" is not a host name`);
  return name;
}

function isDnsName(name: string, limit: number): boolean {
  return name.length <= limit && name.split(".").every((label) => hostLabel.test(label));
}

function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function invalid(why: string): ScribeError {
  return new ScribeError("DNS_RECORD_INVALID", why);
}
