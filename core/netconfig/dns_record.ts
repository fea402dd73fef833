import { parseIpv4, parseIpv6 } from "../identity/ip_text.ts";
import { isHostName } from "./names.ts";
import type { DnsRecord } from "./types.ts";

const srv = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/;
/** A TXT string on the wire has a one-byte length. */
const maxTxtBytes = 255;

/** Why the value cannot stand in a record of this type; undefined when it can. */
export function badRecordValue({ type, value }: Pick<DnsRecord, "type" | "value">):
  | string
  | undefined {
  switch (type) {
    case "A":
      return parseIpv4(value) === null ? "is not an IPv4 address" : undefined;
    case "AAAA":
      return parseIpv6(value) === null ? "is not an IPv6 address" : undefined;
    case "CNAME":
      return isHostName(value) ? undefined : "is not a host name";
    case "TXT":
      return new TextEncoder().encode(value).length > maxTxtBytes
        ? `is longer than ${maxTxtBytes} bytes`
        : undefined;
    case "SRV": {
      const [, priority, weight, port, target = ""] = srv.exec(value) ?? [];
      const numbers = [priority, weight, port].every((part) => Number(part ?? NaN) <= 65_535);
      return numbers && isHostName(target)
        ? undefined
        : 'is not "priority weight port target", such as "0 5 5432 db.pulse"';
    }
  }
}
