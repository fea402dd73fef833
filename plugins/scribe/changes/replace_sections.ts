import type { ConfigBody, DnsRecord } from "../../../core/netconfig/types.ts";
import type { AclRule } from "../../../core/policy/types.ts";
import { ScribeError } from "../errors.ts";
import { canonicalRecord, checkCnames } from "./add_dns_record.ts";
import type { Change } from "./types.ts";

/** All DNS records, all rules, or both at once. @throws {ScribeError} DNS_RECORD_INVALID, DNS_RECORD_CONFLICT */
export const replaceSections: Change<
  { readonly dns?: readonly DnsRecord[]; readonly acls?: readonly AclRule[] }
> = (body, { dns, acls }) => {
  const next: ConfigBody = {
    ...body,
    ...(dns !== undefined && { dns: canonicalRecords(dns) }),
    ...(acls !== undefined && { acls }),
  };
  if (JSON.stringify(next) === JSON.stringify(body)) return { body, note: "config unchanged" };
  checkCnames(next);
  const what = [
    ...(dns === undefined ? [] : [`${dns.length} DNS records`]),
    ...(acls === undefined ? [] : [`${acls.length} rules`]),
  ];
  return { body: next, note: `replaced by ${what.join(" and ")}` };
};

function canonicalRecords(records: readonly DnsRecord[]): DnsRecord[] {
  const all = records.map(canonicalRecord);
  const keys = all.map(({ name, type }) => `${name}.pulse ${type}`);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) {
    throw new ScribeError("DNS_RECORD_CONFLICT", `${twice} is there twice`);
  }
  return all;
}
