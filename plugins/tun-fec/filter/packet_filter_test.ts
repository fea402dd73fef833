import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket } from "../packet/ip_packet.ts";
import { makePacket, type PacketFields } from "../packet/testing.ts";
import { flowIdle, flowSets, flowsPerSet } from "./flow_table.ts";
import { PacketFilter } from "./packet_filter.ts";
import { parsePrefix } from "./prefix.ts";
import { type FilterPeer, type FilterRule, filterVerdict, protocolBit } from "./types.ts";

const { pass, source, destination, policy, fragment, protocol } = filterVerdict;
const [me, other] = ["10.100.0.1", "10.100.0.2"];
const [me6, other6] = ["fd00::1", "fd00::2"];
const any = 7;

function packet(fields: PacketFields): IpPacket {
  const bytes = makePacket(fields);
  const parsed = new IpPacket();
  assert.equal(parsed.parse(new DataView(bytes.buffer), 0, bytes.length), 0);
  return parsed;
}

const from = (src: string, dst: string, more: Partial<PacketFields> = {}) =>
  packet({
    source: src,
    destination: dst,
    protocol: "tcp",
    sourcePort: 40_000,
    destinationPort: 22,
    ...more,
  });

function setUp(rules: readonly FilterRule[] = [], otherwise = rules.length === 0) {
  const filter = new PacketFilter();
  const self = { addresses: [me, me6].map(parsePrefix), behind: [parsePrefix("192.168.7.0/24")] };
  filter.replace(self);
  const peer: FilterPeer = {
    index: 5,
    addresses: [other, other6].map(parsePrefix),
    behind: [],
    inbound: { rules, otherwise },
    outbound: { rules, otherwise },
  };
  return { filter, peer, replace: () => filter.replace(self) };
}

const allow22: FilterRule = { allow: true, protocols: protocolBit.tcp, ports: [22, 22] };

Deno.test("without rules everything between the two nodes' own addresses passes, nothing else", () => {
  const { filter, peer } = setUp();
  assert.equal(filter.inbound(from(other, me), peer, 0), pass);
  assert.equal(filter.inbound(from(other6, me6), peer, 0), pass);
  assert.equal(filter.outbound(from(me, other), peer, 0), pass);
  for (const spoofed of ["10.100.0.3", me, "8.8.8.8"]) {
    assert.equal(filter.inbound(from(spoofed, me), peer, 0), source);
  }
  assert.equal(filter.inbound(from("fd00::3", me6), peer, 0), source);
  assert.equal(filter.inbound(from(other, "10.100.0.9"), peer, 0), destination);
  assert.equal(filter.inbound(from(other, "192.168.7.9"), peer, 0), pass);
  assert.equal(filter.outbound(from("10.100.0.7", other), peer, 0), source);
  assert.equal(filter.outbound(from(me, "8.8.8.8"), peer, 0), destination);
});

Deno.test("the first rule that matches decides; with rules the unmatched is denied", () => {
  const deny = { ...allow22, allow: false, ports: [20, 30] };
  const { filter, peer } = setUp([allow22, deny, { allow: true, protocols: any, ports: [25, 40] }]);
  const to = (destinationPort: number, proto: PacketFields["protocol"] = "tcp") =>
    filter.inbound(from(other, me, { destinationPort, protocol: proto }), peer, 0);
  assert.deepEqual([to(22), to(21), to(26), to(35), to(41)], [pass, policy, policy, pass, policy]);
  assert.deepEqual([to(22, "udp"), to(26, "udp"), to(0, "icmp"), to(0, 47)], [
    policy,
    pass,
    policy,
    protocol,
  ]);
});

Deno.test("what answers an allowed flow passes, what only resembles it does not", () => {
  for (const [here, there] of [[me, other], [me6, other6]] as const) {
    const { filter, peer } = setUp([allow22]);
    const answer = { sourcePort: 22, destinationPort: 40_000 };
    assert.equal(filter.inbound(from(there, here, answer), peer, 0), policy);
    assert.equal(filter.outbound(from(here, there), peer, 1), pass);
    assert.equal(filter.inbound(from(there, here, answer), peer, 2), pass);
    const near = { ...answer, destinationPort: 40_001 };
    assert.equal(filter.inbound(from(there, here, near), peer, 2), policy);
    assert.equal(
      filter.inbound(from(there, here, { ...answer, protocol: "udp" }), peer, 2),
      policy,
    );
    const another = { ...peer, index: 6 };
    assert.equal(filter.inbound(from(there, here, answer), another, 2), policy);
  }
});

Deno.test("a flow that was idle too long is forgotten, a closed one soon", () => {
  const { filter, peer } = setUp([allow22]);
  const answer = from(other, me, { sourcePort: 22, destinationPort: 40_000 });
  filter.outbound(from(me, other), peer, 0);
  assert.equal(filter.inbound(answer, peer, flowIdle.tcp - 1), pass);
  assert.equal(filter.inbound(answer, peer, 2 * flowIdle.tcp), policy);
  filter.outbound(from(me, other), peer, 20_000);
  filter.outbound(from(me, other, { tcpFlags: 0x11 }), peer, 20_001);
  assert.equal(filter.inbound(answer, peer, 20_002 + flowIdle.tcpClosing), policy);
});

Deno.test("changed rules are asked about running flows too", () => {
  const { filter, peer, replace } = setUp([allow22]);
  const answer = from(other, me, { sourcePort: 22, destinationPort: 40_000 });
  filter.outbound(from(me, other), peer, 0);
  replace();
  const closed = { ...peer, outbound: { rules: [], otherwise: false } };
  assert.equal(filter.inbound(answer, closed, 1), policy);
  assert.equal(filter.outbound(from(me, other), closed, 1), policy);
});

Deno.test("ICMP errors reach a node whatever the rules, echo does not", () => {
  const { filter, peer } = setUp([allow22]);
  const icmp = (icmpType: number, six = false) =>
    six
      ? from(other6, me6, { protocol: "icmp", icmpType })
      : from(other, me, { protocol: "icmp", icmpType });
  for (const type of [3, 11, 12]) assert.equal(filter.inbound(icmp(type), peer, 0), pass);
  for (const type of [1, 2, 3, 4]) assert.equal(filter.inbound(icmp(type, true), peer, 0), pass);
  for (const type of [8, 0, 13]) assert.equal(filter.inbound(icmp(type), peer, 0), policy);
  assert.equal(filter.inbound(icmp(128, true), peer, 0), policy);
});

Deno.test("later fragments pass behind an allowed first one, and never over its header", () => {
  for (const [here, there] of [[me, other], [me6, other6]] as const) {
    const { filter, peer } = setUp([allow22]);
    const payload = new Uint8Array(80);
    const part = (fragmentOffset: number, destinationPort = 22) =>
      from(there, here, { fragmentOffset, moreFragments: true, payload, destinationPort });
    assert.equal(filter.inbound(part(1480), peer, 0), fragment);
    assert.equal(filter.inbound(part(0, 23), peer, 0), policy);
    assert.equal(filter.inbound(part(1480), peer, 0), fragment);
    assert.equal(filter.inbound(part(0), peer, 0), pass);
    assert.equal(filter.inbound(part(1480), peer, 1), pass);
    for (const offset of [8, 16, 56]) assert.equal(filter.inbound(part(offset), peer, 1), fragment);
    assert.equal(filter.inbound(part(1480), peer, 60), fragment);
  }
});

Deno.test("rules for destinations behind an exit are about those alone", () => {
  const behind = parsePrefix("192.168.7.0/28");
  const { filter, peer } = setUp([{ allow: true, protocols: any, ports: [], behind }]);
  assert.equal(filter.inbound(from(other, "192.168.7.3"), peer, 0), pass);
  assert.equal(filter.inbound(from(other, "192.168.7.99"), peer, 0), policy);
  assert.equal(filter.inbound(from(other, me), peer, 0), policy);
});

Deno.test("the table of flows keeps its size, and says when a living flow had to go", () => {
  const { filter, peer } = setUp([{ allow: true, protocols: any, ports: [] }]);
  const flows = flowSets * flowsPerSet * 2;
  for (let n = 0; n < flows; n++) {
    const ports = { sourcePort: n & 0xffff, destinationPort: 1000 + (n >>> 16) };
    assert.equal(filter.inbound(from(other, me, ports), peer, 1), pass);
  }
  const kept = filter.flows.count(1);
  assert.ok(kept <= flowSets * flowsPerSet);
  assert.equal(filter.flows.evicted, flows - kept);
});

Deno.test("verdicts are those of a second, slow evaluator", () => {
  const rule = fc.record({
    allow: fc.boolean(),
    protocols: fc.integer({ min: 1, max: 7 }),
    ports: fc.oneof(
      fc.constant([]),
      fc.tuple(fc.nat(40), fc.nat(20)).map(([a, n]) => [a, a + n]),
    ),
  });
  const proto = fc.constantFrom("tcp" as const, "udp" as const, "icmp" as const);
  fc.assert(fc.property(fc.array(rule, { maxLength: 6 }), proto, fc.nat(60), (rules, p, port) => {
    const { filter, peer } = setUp(rules);
    const got = filter.inbound(from(other, me, { protocol: p, destinationPort: port }), peer, 0);
    const found = rules.find(({ protocols, ports }) => {
      if ((protocols & protocolBit[p]) === 0) return false;
      if (ports.length === 0) return true;
      return p !== "icmp" && port >= ports[0]! && port <= ports[1]!;
    });
    const expected = found === undefined ? rules.length === 0 : found.allow;
    assert.equal(got === pass, expected);
  }));
});
