import assert from "node:assert/strict";
import { IpPacket } from "../packet/ip_packet.ts";
import { makePacket, type PacketFields } from "../packet/testing.ts";
import { chooseWay, flowHash, mix } from "./flow_hash.ts";

function hashOf(fields: Partial<PacketFields>): number {
  const bytes = makePacket({
    source: "10.0.0.1",
    destination: "10.0.0.2",
    protocol: "tcp",
    sourcePort: 1,
    destinationPort: 2,
    ...fields,
  });
  const packet = new IpPacket();
  packet.parse(new DataView(bytes.buffer), 0, bytes.length);
  return flowHash(packet);
}

Deno.test("packets of a flow have one number, those of others another", () => {
  assert.equal(hashOf({ payload: new Uint8Array(9) }), hashOf({ tcpFlags: 2 }));
  const others = [
    hashOf({}),
    hashOf({ sourcePort: 3 }),
    hashOf({ destinationPort: 3 }),
    hashOf({ sourcePort: 2, destinationPort: 1 }),
    hashOf({ protocol: "udp" }),
    hashOf({ source: "10.0.0.3" }),
    hashOf({ source: "10.0.0.2", destination: "10.0.0.1" }),
  ];
  assert.equal(new Set(others).size, others.length);
});

Deno.test("fragments of a packet keep together", () => {
  const first = hashOf({ moreFragments: true });
  assert.equal(hashOf({ fragmentOffset: 800, payload: new Uint8Array(8) }), first);
});

const ways = [{ salt: mix(1), weight: 10 }, { salt: mix(2), weight: 3 }, {
  salt: mix(3),
  weight: 1,
}];

function shares(of: typeof ways, flows = 14_000): number[] {
  const counts = of.map(() => 0);
  for (let flow = 0; flow < flows; flow++) counts[chooseWay(mix(flow + 77), of)]!++;
  return counts.map((count) => count / flows);
}

Deno.test("flows are spread in proportion to the weights", () => {
  for (const [i, share] of shares(ways).entries()) {
    const expected = ways[i]!.weight / 14;
    assert.ok(Math.abs(share - expected) < 0.02, `way ${i}: ${share}, not ${expected}`);
  }
});

Deno.test("when a way goes, only its own flows move", () => {
  const left = ways.slice(1);
  for (let flow = 0; flow < 3_000; flow++) {
    const before = chooseWay(mix(flow), ways);
    if (before > 0) assert.equal(chooseWay(mix(flow), left), before - 1);
  }
});

Deno.test("one way is chosen by all, and of none there is none", () => {
  assert.deepEqual([chooseWay(5, ways.slice(0, 1)), chooseWay(5, [])], [0, -1]);
});
