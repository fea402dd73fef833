import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket, parseProblem } from "./ip_packet.ts";
import { secondReading } from "./second_parser_testing.ts";

const byte = fc.nat(255);
const u16 = (value: number) => [value >> 8 & 255, value & 255];
const often = <T>(value: T, other: fc.Arbitrary<T>, weight = 6) =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });

/** What follows the IP header: long enough, mostly, for what it is said to be. */
const body = fc.record({
  protocol: fc.oneof(fc.constantFrom(6, 17, 1, 58), fc.constantFrom(50, 51, 59, 135), byte),
  bytes: fc.oneof(
    { weight: 3, arbitrary: fc.uint8Array({ minLength: 24, maxLength: 64 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }) },
  ),
  dataOffset: often(5, fc.nat(15)),
  icmpType: fc.constantFrom(0, 3, 8, 11, 128, 129, 134),
}).map(({ protocol, bytes, dataOffset, icmpType }) => {
  const made = [...bytes];
  if (protocol === 6 && made.length > 12) made[12] = dataOffset << 4 | made[12]! & 15;
  if ((protocol === 1 || protocol === 58) && made.length > 0) made[0] = icmpType;
  return { protocol, bytes: made };
});

const fragmentWord = fc.oneof(
  fc.constantFrom(0, 1, 8, 9, 1_480, 1_481, 65_528, 65_529),
  fc.nat(0xffff),
);

/** An extension header without its first byte. */
const extension = fc.oneof(
  fc.record({
    kind: fc.constantFrom(0, 60),
    units: often(0, fc.nat(3), 3),
    lie: often(0, fc.nat(255)),
  }).map(({ kind, units, lie }) => ({
    kind,
    rest: [(units + lie) & 255, ...new Array<number>(6 + units * 8).fill(0)],
  })),
  fc.record({ units: fc.nat(2), left: often(0, byte, 3) }).map(({ units, left }) => ({
    kind: 43,
    rest: [units, 4, left, ...new Array<number>(4 + units * 8).fill(0)],
  })),
  fc.record({ word: fragmentWord, id: fc.nat(0xffff) }).map(({ word, id }) => ({
    kind: 44,
    rest: [0, ...u16(word), 0, 0, ...u16(id)],
  })),
);

/** Bytes that the length field does not count, or counts and are not there. */
const lie = often(0, fc.integer({ min: -60, max: 60 }));
const address = (size: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ minLength: size, maxLength: size }) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) =>
        // An IPv4 address among those of IPv6.
        Uint8Array.from(bytes, (value, i) => i < size - 6 ? 0 : i < size - 4 ? 0xff : value)
      ),
    },
  );

const packet4 = fc.record({
  words: often(5, fc.nat(15), 3),
  tos: byte,
  lie,
  id: fc.nat(0xffff),
  fragment: often(0, fc.oneof(fc.constantFrom(0x2000, 0x4000, 185, 0x2000 + 185), fragmentWord), 2),
  hopLimit: byte,
  source: address(4),
  destination: address(4),
  body,
}).map(({ words, tos, lie, id, fragment, hopLimit, source, destination, body }) => {
  const options = new Array<number>(Math.max(0, words - 5) * 4).fill(1);
  const total = Math.max(0, 20 + options.length + body.bytes.length + lie);
  return [
    0x40 | words,
    tos,
    ...u16(total),
    ...u16(id),
    ...u16(fragment),
    hopLimit,
    body.protocol,
    0,
    0,
    ...source,
    ...destination,
    ...options,
    ...body.bytes,
  ];
});

const packet6 = fc.record({
  tos: byte,
  flow: byte,
  lie,
  hopLimit: byte,
  source: address(16),
  destination: address(16),
  extensions: fc.oneof(
    { weight: 4, arbitrary: fc.array(extension, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(extension, { minLength: 6, maxLength: 10 }) },
  ),
  body,
}).map(({ tos, flow, lie, hopLimit, source, destination, extensions, body }) => {
  const kinds = [...extensions.map(({ kind }) => kind), body.protocol];
  const chain = extensions.flatMap(({ rest }, i) => [kinds[i + 1]!, ...rest]);
  const length = Math.max(0, chain.length + body.bytes.length + lie);
  return [
    0x60 | tos >> 4,
    (tos & 15) << 4 | flow & 15,
    flow,
    0,
    ...u16(length),
    kinds[0]!,
    hopLimit,
    ...source,
    ...destination,
    ...chain,
    ...body.bytes,
  ];
});

/** A packet, and what became of it on its way. */
const arrived = fc.record({
  packet: fc.oneof(packet4, packet6),
  cut: often(0, fc.nat(70), 4),
  behind: often(0, fc.nat(8), 4),
  changes: often<readonly (readonly [number, number])[]>(
    [],
    fc.array(fc.tuple(fc.nat(70), byte), { minLength: 1, maxLength: 3 }),
    2,
  ),
}).map(({ packet, cut, behind, changes }) => {
  const bytes = packet.slice(0, Math.max(0, packet.length - cut));
  for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
  return [...bytes, ...new Array<number>(behind).fill(0xaa)];
});

function readingOf(bytes: readonly number[]) {
  // The view ends with what arrived: reading on would throw.
  const view = new DataView(Uint8Array.from(bytes).buffer);
  const packet = new IpPacket();
  // Of the packet before.
  packet.identification = 77;
  packet.fragment = true;
  if (packet.parse(view, 0, bytes.length) !== parseProblem.none) return undefined;
  return packet;
}

Deno.test("the packet parser reads what a second one reads, and refuses what it refuses", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(arrived, (bytes) => {
      const [first, second] = [readingOf(bytes), secondReading(bytes)];
      const what = second === undefined
        ? "refused"
        : `${second.version} ${second.fragment ? "part" : "whole"}`;
      seen.set(what, (seen.get(what) ?? 0) + 1);
      if (first === undefined || second === undefined) {
        assert.deepEqual(first, second);
        return;
      }
      const { source, destination, identification, ...same } = second;
      assert.deepEqual({ ...first, ...same }, { ...first });
      assert.deepEqual([...first.source], source);
      assert.deepEqual([...first.destination], destination);
      if (second.fragment) assert.equal(first.identification, identification);
    }),
    { seed: 8_200, numRuns: 20_000 },
  );
  // Otherwise the two agree on nothing worth it.
  for (const what of ["refused", "4 whole", "4 part", "6 whole", "6 part"]) {
    assert.ok(seen.get(what)! > 500, `${what}: ${seen.get(what)}`);
  }
});
