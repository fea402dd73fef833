import type { ConfigBody, DnsRecord } from "../../../core/netconfig/types.ts";
import { ScribeError } from "../errors.ts";
import { canonicalDnsName, canonicalDnsValue } from "./dns_value.ts";
import type { Change } from "./types.ts";

/**
 * Adds a record, in the place of one with its name and type.
 * @throws {ScribeError} DNS_RECORD_INVALID, DNS_RECORD_CONFLICT
 */
export const addDnsRecord: Change<DnsRecord> = (body, given) => {
  const record = canonicalRecord(given);
  const { name, type, value, ttl } = record;
  const old = body.dns.find((other) => other.name === name && other.type === type);
  if (old?.value === value && old.ttl === ttl) return { body, note: "record unchanged" };
  const dns = [...body.dns.filter((other) => other !== old), record].sort(byNameAndType);
  checkCnames({ ...body, dns });
  return { body: { ...body, dns }, note: `${name}.pulse ${type} ${value.slice(0, 80)}` };
};

/** The record in its one spelling. @throws {ScribeError} DNS_RECORD_INVALID */
export function canonicalRecord({ name, type, value, ttl }: DnsRecord): DnsRecord {
  return { name: canonicalDnsName(name), type, value: canonicalDnsValue(type, value), ttl };
}

/**
 * A CNAME stands alone at its name (RFC 1034 section 3.6.2), and no chain of them comes back to where it began.
 * @throws {ScribeError} DNS_RECORD_CONFLICT
 */
export function checkCnames({ dns, nodes }: ConfigBody): void {
  const aliases = new Map(
    dns.filter(({ type }) => type === "CNAME").map(({ name, value }) => [name, value]),
  );
  const names = new Set(Object.values(nodes).map(({ name }) => name));
  for (const alias of aliases.keys()) {
    const other = dns.find(({ name, type }) => name === alias && type !== "CNAME");
    if (other !== undefined) {
      throw conflict(`${alias}.pulse cannot have a CNAME beside ${other.type}`, alias);
    }
    if (names.has(alias)) throw conflict(`${alias}.pulse is a node's own name`, alias);
    const seen = new Set<string>();
    for (let at: string | undefined = alias; at !== undefined; at = next(aliases, at)) {
      if (seen.has(at)) throw conflict(`the CNAME of ${alias}.pulse leads in a circle`, alias);
      seen.add(at);
    }
  }
}

function next(aliases: ReadonlyMap<string, string>, name: string): string | undefined {
  const target = aliases.get(name);
  return target?.endsWith(".pulse") ? target.slice(0, -".pulse".length) : undefined;
}

function byNameAndType(a: DnsRecord, b: DnsRecord): number {
  const [left, right] = [`${a.name} ${a.type}`, `${b.name} ${b.type}`];
  return left < right ? -1 : left > right ? 1 : 0;
}

function conflict(why: string, name: string): ScribeError {
  return new ScribeError(
    "DNS_RECORD_CONFLICT",
    `${why}: a CNAME stands alone at its name and leads somewhere else`,
    { name },
  );
}
