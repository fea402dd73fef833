import { ScribeError } from "../errors.ts";
import { canonicalDnsName, type DnsType } from "./dns_value.ts";
import type { Change } from "./types.ts";

/**
 * Removes the records of a name, of one type or of all.
 * @throws {ScribeError} DNS_RECORD_UNKNOWN, DNS_RECORD_INVALID
 */
export const removeDnsRecord: Change<{ readonly name: string; readonly type?: DnsType }> = (
  body,
  argument,
) => {
  const name = canonicalDnsName(argument.name);
  const { type } = argument;
  const gone = body.dns.filter((record) =>
    record.name === name && (type === undefined || record.type === type)
  );
  if (gone.length === 0) {
    const what = type === undefined ? "record" : `${type} record`;
    throw new ScribeError("DNS_RECORD_UNKNOWN", `${name}.pulse has no ${what}`, { name });
  }
  return {
    body: { ...body, dns: body.dns.filter((record) => !gone.includes(record)) },
    note: `${name}.pulse has no ${gone.map((record) => record.type).join(", ")} any more`,
  };
};
