import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket, parseProblem } from "../packet/ip_packet.ts";
import { makeSuperPacket } from "../super_packet/testing.ts";
import { virtioHeader } from "../super_packet/virtio_header.ts";
import { segmentOverhead } from "../wire/segment.ts";
import { SealKey } from "./seal_key.ts";
import { FakeMemory, FakeNetwork, makePeer, ToyCipher } from "./testing.ts";
import { addressesOf, directPath, idOf, testKey, TestNode } from "./testing_mesh.ts";

const sentinel = 0xee;
const chunk = 300;
const original = makeSuperPacket({
  six: false,
  protocol: "tcp",
  payload: new Uint8Array(2_600).fill(7),
  gsoSize: 500,
});

/** Segments of the packet with its headers behind it, as a sender cuts it. */
const cut = new Uint8Array(original.length + 50);
cut.set(original);
cut.set(original.subarray(0, 50), original.length);
const count = Math.ceil(cut.length / chunk);

/** How a member that holds the key departs from that in a segment. */
const departure = fc.record({
  index: fc.oneof(fc.nat(9), fc.nat(0xffff)),
  last: fc.boolean(),
  trailer: fc.nat(255),
  way: fc.nat(2),
  control: fc.boolean(),
  length: fc.nat(chunk),
  at: fc.nat(60),
  value: fc.nat(0xed),
  lost: fc.boolean(),
}, { requiredKeys: [] });
type Departure = typeof departure extends fc.Arbitrary<infer One> ? One : never;

const step = fc.record({
  departs: fc.oneof({ weight: 9, arbitrary: fc.constant<Departure>({}) }, {
    weight: 1,
    arbitrary: departure,
  }),
  wait: fc.constantFrom(0, 0, 0, 1, 30),
});

Deno.test("whatever a member seals, only its own bytes are written, as packets of its own addresses", () => {
  let all = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
      const b = new TestNode(new FakeNetwork(), "b", "192.0.2.2:200");
      const { bytes } = b.ports.memory;
      bytes.fill(sentinel);
      b.tables(addressesOf.b, [makePeer({
        id: idOf("a"),
        index: 1,
        addresses: addressesOf.a,
        paths: [directPath("a")],
        fec: true,
      })]);
      const toB = testKey(1, 2);
      b.loop.command({ do: "receive", peer: 1, key: toB }, 0);
      b.loop.command({ do: "seal", peer: 1, key: testKey(1, 1) }, 0);
      const own = new FakeMemory(1 << 16);
      const at = own.allocate(4_096);
      const key = new SealKey(toB, own, new ToyCipher(own, toB.key));
      let now = 0;
      for (const [n, { departs, wait }] of steps.entries()) {
        const place = n % count;
        const final = place === count - 1;
        const { index = place, last = final, trailer = final ? 50 : 0, way = 0 } = departs;
        const part = cut.subarray(place * chunk, place * chunk + (departs.length ?? chunk));
        own.bytes.set(part, at + 20);
        if (departs.at !== undefined && departs.at < part.length) {
          own.bytes[at + 20 + departs.at] = departs.value ?? 0;
        }
        const word = (last ? 2 ** 31 : 0) + (departs.control ? 2 ** 29 : 0) + way * 2 ** 24 +
          trailer * 2 ** 16 + index;
        key.seal(at, word, 0, part.length);
        if (departs.lost) continue;
        const message = own.bytes.slice(at, at + part.length + segmentOverhead);
        b.ports.wire.arrived.push({
          from: "192.0.2.1:100",
          to: b.ports.wire.here,
          bytes: message,
          segment: message.length,
          tos: 0,
        });
        b.loop.turn(now);
        now += wait;
        b.loop.tick(now);
      }
      b.loop.tick(now + 100);
      all += b.ports.tun.received.length;
      const packet = new IpPacket();
      for (const written of b.ports.tun.received) {
        const view = new DataView(written.buffer, written.byteOffset);
        const size = written.length - virtioHeader;
        assert.equal(packet.parse(view, virtioHeader, size), parseProblem.none);
        assert.deepEqual([...packet.source], [0, 0, 0xffff, 0x0a64_0001]);
        assert.ok(!written.includes(sentinel), "bytes that nobody sent");
      }
    }),
    { numRuns: 100 },
  );
  assert.ok(all > 100, `${all} packets were written`);
});
