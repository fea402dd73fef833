import assert from "node:assert/strict";
import type { DnsRecord } from "../../../core/netconfig/types.ts";
import { addDnsRecord } from "./add_dns_record.ts";
import { removeDnsRecord } from "./remove_dns_record.ts";
import { replaceSections } from "./replace_sections.ts";
import { setName } from "./set_name.ts";
import { after, context, laptop, rule, start } from "./testing.ts";

const record = (
  name: string,
  type: DnsRecord["type"],
  value: string,
  ttl = 300,
): DnsRecord => ({ name, type, value, ttl });

const withRecords = (...records: DnsRecord[]) =>
  records.reduce((body, one) => after(body, addDnsRecord, one), start);

Deno.test("names and values are kept in their one spelling", () => {
  const cases: [DnsRecord, DnsRecord][] = [
    [record("DB.Shop.pulse.", "A", "10.0.0.1"), record("db.shop", "A", "10.0.0.1")],
    [record("db", "AAAA", "FD00:0:0::1"), record("db", "AAAA", "fd00::1")],
    [record("www", "CNAME", "DB.pulse."), record("www", "CNAME", "db.pulse")],
    [
      record("_ssh._tcp", "SRV", " 0  5 22 DB.pulse. "),
      record("_ssh._tcp", "SRV", "0 5 22 db.pulse"),
    ],
    [record("db", "TXT", "v=1; ünï"), record("db", "TXT", "v=1; ünï")],
  ];
  for (const [given, kept] of cases) assert.deepEqual(withRecords(given).dns, [kept]);
});

Deno.test("a record takes the place of the one with its name and type", () => {
  const body = withRecords(record("db", "A", "10.0.0.1"), record("db", "TXT", "x"));
  const changed = after(body, addDnsRecord, record("db.pulse", "A", "10.0.0.2", 60));
  assert.deepEqual(changed.dns, [record("db", "A", "10.0.0.2", 60), record("db", "TXT", "x")]);
  assert.equal(after(changed, addDnsRecord, record("db", "A", "10.0.0.2", 60)), changed);
});

Deno.test("values that are none are refused", () => {
  const bad: DnsRecord[] = [
    record("db", "A", "10.0.0.256"),
    record("db", "A", "fd00::1"),
    record("db", "A", "010.0.0.1"),
    record("db", "AAAA", "10.0.0.1"),
    record("db", "AAAA", "fd00:::1"),
    record("db", "CNAME", "a b"),
    record("db", "CNAME", ""),
    record("db", "SRV", "0 5 22"),
    record("db", "SRV", "0 5 70000 db.pulse"),
    record("db", "SRV", "-1 5 22 db.pulse"),
    record("db", "TXT", "a\nb"),
    record("db", "TXT", "x".repeat(256)),
    record("", "A", "10.0.0.1"),
    record("pulse", "A", "not an address"),
    record("a..b", "A", "10.0.0.1"),
    record("a b", "A", "10.0.0.1"),
    record("-a", "A", "10.0.0.1"),
    record("*", "A", "10.0.0.1"),
    record("x".repeat(64), "A", "10.0.0.1"),
    record(Array(70).fill("abc").join("."), "A", "10.0.0.1"),
  ];
  for (const one of bad) {
    assert.throws(() => addDnsRecord(start, one, context), { code: "DNS_RECORD_INVALID" });
  }
});

Deno.test("a CNAME stands alone, whichever came first", () => {
  const body = withRecords(record("db", "A", "10.0.0.1"), record("www", "CNAME", "db.pulse"));
  for (const one of [record("db", "CNAME", "x.pulse"), record("www", "TXT", "x")]) {
    assert.throws(() => addDnsRecord(body, one, context), { code: "DNS_RECORD_CONFLICT" });
  }
  const named = after(start, setName, { node: laptop, name: "box" });
  assert.throws(() => addDnsRecord(named, record("box", "CNAME", "x.pulse"), context), {
    code: "DNS_RECORD_CONFLICT",
  });
});

Deno.test("CNAMEs that lead in a circle are refused", () => {
  assert.throws(() => addDnsRecord(start, record("a", "CNAME", "a.pulse"), context), {
    code: "DNS_RECORD_CONFLICT",
  });
  const body = withRecords(record("a", "CNAME", "b.pulse"), record("b", "CNAME", "c.pulse"));
  assert.throws(() => addDnsRecord(body, record("c", "CNAME", "a.pulse"), context), {
    code: "DNS_RECORD_CONFLICT",
    message: /circle/,
  });
  assert.equal(withRecords(record("a", "CNAME", "a.example.com")).dns.length, 1);
});

Deno.test("records are removed by name, or by name and type, and one that is not there is an error", () => {
  const body = withRecords(record("db", "A", "10.0.0.1"), record("db", "TXT", "x"));
  assert.deepEqual(
    after(body, removeDnsRecord, { name: "DB.pulse", type: "A" }).dns,
    [record("db", "TXT", "x")],
  );
  assert.deepEqual(after(body, removeDnsRecord, { name: "db" }), start);
  for (const gone of [{ name: "other" }, { name: "db", type: "SRV" as const }]) {
    assert.throws(() => removeDnsRecord(body, gone, context), { code: "DNS_RECORD_UNKNOWN" });
  }
});

Deno.test("whole sections are replaced, checked like single records, and the others stay", () => {
  const body = withRecords(record("db", "A", "10.0.0.1"));
  const acls = [rule("*", "*")];
  assert.deepEqual(after(body, replaceSections, { acls }), { ...body, acls });
  const dns = [record("X.pulse", "A", "10.0.0.2")];
  assert.deepEqual(after(body, replaceSections, { dns }).dns, [record("x", "A", "10.0.0.2")]);
  assert.equal(after(body, replaceSections, { dns: body.dns }), body);
  const bad = [
    [record("x", "A", "10.0.0.2"), record("X", "A", "10.0.0.3")],
    [record("x", "A", "10.0.0.2"), record("x", "CNAME", "y.pulse")],
    [record("x", "CNAME", "x.pulse")],
  ];
  for (const dns of bad) {
    assert.throws(() => replaceSections(body, { dns }, context), { code: "DNS_RECORD_CONFLICT" });
  }
});
