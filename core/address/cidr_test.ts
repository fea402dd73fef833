import assert from "node:assert/strict";
import { ipToBytes, ipToText } from "../identity/ip_text.ts";
import { addressBehind, cidrKey, cidrText, contains, containsRange, parseCidr } from "./cidr.ts";

Deno.test("ranges of both families and single addresses are read, host bits do not count", () => {
  const same: [string, string][] = [
    ["10.1.2.3/8", "10.0.0.0/8"],
    ["192.0.2.7", "192.0.2.7/32"],
    ["fd00:1::5/16", "fd00::/16"],
    ["::1", "::1/128"],
    ["255.255.255.255/0", "0.0.0.0/0"],
  ];
  for (const [text, other] of same) {
    assert.equal(cidrKey(parseCidr(text)!), cidrKey(parseCidr(other)!));
  }
  for (const text of ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "db", "1:2/3", "/8", ""]) {
    assert.equal(parseCidr(text), null, text);
  }
});

Deno.test("a range contains what shares its prefix and family", () => {
  const within = (cidr: string, address: string) => contains(parseCidr(cidr)!, ipToBytes(address));
  assert.equal(within("10.0.0.0/9", "10.127.0.1"), true);
  assert.equal(within("10.0.0.0/9", "10.128.0.1"), false);
  assert.equal(within("0.0.0.0/0", "203.0.113.1"), true);
  assert.equal(within("0.0.0.0/0", "::1"), false);
  assert.equal(within("fd00::/8", "fdff::1"), true);
});

Deno.test("the address behind a range is the first that is not in it", () => {
  const behind = (cidr: string) => {
    const address = addressBehind(parseCidr(cidr)!);
    return address && ipToText(address);
  };
  assert.equal(behind("10.0.0.0/8"), "11.0.0.0");
  assert.equal(behind("10.0.255.128/25"), "10.1.0.0");
  assert.equal(behind("255.0.0.0/8"), null);
  assert.equal(behind("0.0.0.0/0"), null);
  assert.equal(behind("fd00::/64"), "fd00:0:0:1::");
});

Deno.test("a range is written in one spelling, and contains itself and its parts only", () => {
  assert.equal(cidrText(parseCidr("10.1.2.3/8")!), "10.0.0.0/8");
  assert.equal(cidrText(parseCidr("FD00:0:0::5/16")!), "fd00::/16");
  const holds = (a: string, b: string) => containsRange(parseCidr(a)!, parseCidr(b)!);
  assert.ok(holds("10.0.0.0/8", "10.0.0.0/8"));
  assert.ok(holds("0.0.0.0/0", "10.7.0.0/16"));
  assert.ok(!holds("10.7.0.0/16", "10.0.0.0/8"));
  assert.ok(!holds("0.0.0.0/0", "fd00::/8"));
});
