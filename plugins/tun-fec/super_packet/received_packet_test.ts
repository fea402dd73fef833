import assert from "node:assert/strict";
import fc from "fast-check";
import { headerRoom, ReceivedPacket } from "./received_packet.ts";
import { makeSuperPacket, segmentLikeTheKernel } from "./testing.ts";
import { virtioHeader } from "./virtio_header.ts";

const chunk = 700;
const headerAt = 8;
const saveAt = headerAt + headerRoom;
const dataAt = saveAt + headerRoom;

/** What a sender cuts and a receiver gets: `arrives` says which segments, in which order. */
function receive(packet: Uint8Array, arrives: (count: number) => readonly number[]) {
  const six = packet[virtioHeader]! >> 4 === 6;
  const tcp = packet[virtioHeader + (six ? 6 : 9)] === 6;
  const trailer = virtioHeader + (six ? 40 : 20) + (tcp ? 20 : 8);
  const cut = new Uint8Array(packet.length + trailer);
  cut.set(packet);
  cut.set(packet.subarray(0, trailer), packet.length);
  const count = Math.ceil(cut.length / chunk);
  const memory = new Uint8Array(dataAt + count * chunk);
  memory.set(cut, dataAt);
  const received = new ReceivedPacket();
  for (const index of arrives(count)) {
    const length = Math.min(chunk, cut.length - index * chunk);
    const last = index === count - 1;
    assert.ok(received.add(index, last, last ? trailer : 0, dataAt + index * chunk, length));
  }
  const written: Uint8Array[] = [];
  const write = () => {
    const parts: number[] = [];
    for (let i = 0; i < received.pieces; i++) {
      const at = received.pieceAt[i]!;
      parts.push(...memory.subarray(at, at + received.pieceLength[i]!));
    }
    written.push(Uint8Array.from(parts));
  };
  const view = new DataView(memory.buffer);
  if (received.complete) {
    received.whole();
    write();
  } else received.salvage(memory, view, chunk, headerAt, saveAt, write);
  return { written, count };
}

const kinds = fc.record({
  six: fc.boolean(),
  protocol: fc.constantFrom("tcp" as const, "udp" as const),
  payload: fc.integer({ min: 2_000, max: 9_000 }).map((length) =>
    Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8))
  ),
  gsoSize: fc.integer({ min: 500, max: 1400 }),
});

Deno.test("a whole packet is written as it was, its trailer cut off", () => {
  fc.assert(fc.property(kinds, (kind) => {
    const packet = makeSuperPacket(kind);
    const { written } = receive(packet, (count) => Array.from({ length: count }, (_, i) => i));
    assert.deepEqual(written.map((bytes) => bytes.toHex()), [packet.toHex()]);
  }));
});

Deno.test("order does not matter: the same bytes of the flow come out", () => {
  fc.assert(fc.property(kinds, fc.infiniteStream(fc.nat()), (kind, random) => {
    const packet = makeSuperPacket(kind);
    const shuffled = (count: number) =>
      Array.from({ length: count }, (_, i) => [random.next().value as number, i] as const)
        .sort((a, b) => a[0] - b[0]).map(([, i]) => i);
    const { written } = receive(packet, shuffled);
    assert.deepEqual(written.flatMap(segmentLikeTheKernel), segmentLikeTheKernel(packet));
  }));
});

Deno.test("with gaps, every datagram that is whole is written, and no byte of another place", () => {
  fc.assert(fc.property(
    kinds.filter(({ protocol }) => protocol === "udp"),
    fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
    (kind, drop) => {
      const packet = makeSuperPacket(kind);
      const all = segmentLikeTheKernel(packet).map(({ payload }) => payload);
      const gone = new Set(drop);
      const { written, count } = receive(
        packet,
        (n) => Array.from({ length: n }, (_, i) => i).filter((i) => !gone.has(i)),
      );
      const header = virtioHeader + (kind.six ? 40 : 20) + 8;
      const here = (from: number, to: number) => {
        for (let k = Math.floor(from / chunk); k <= Math.floor((to - 1) / chunk); k++) {
          if (gone.has(k)) return false;
        }
        return true;
      };
      const headersHere = !gone.has(0) ||
        !gone.has(count - 1) && (packet.length + header) % chunk >= header;
      if (!headersHere) return;
      const expected = all.filter((_, i) => {
        const from = header + i * kind.gsoSize;
        return here(from, Math.min(from + kind.gsoSize, packet.length));
      });
      const got = written.flatMap(segmentLikeTheKernel).map(({ payload }) => payload);
      assert.deepEqual(got, expected);
    },
  ));
});

Deno.test("with gaps, every byte of TCP that arrived is written at its own sequence number", () => {
  fc.assert(fc.property(
    kinds.filter(({ protocol }) => protocol === "tcp"),
    fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
    (kind, drop) => {
      const packet = makeSuperPacket(kind);
      const header = virtioHeader + (kind.six ? 40 : 20) + 20;
      const gone = new Set(drop);
      const { written, count } = receive(
        packet,
        (n) => Array.from({ length: n }, (_, i) => i).filter((i) => !gone.has(i)),
      );
      const headersHere = !gone.has(0) ||
        !gone.has(count - 1) && (packet.length + header) % chunk >= header;
      if (!headersHere) return;
      const parts = written.flatMap(segmentLikeTheKernel);
      const heard = new Map<number, number>();
      for (const { sequence, payload } of parts) {
        for (const [i, byte] of Uint8Array.fromHex(payload).entries()) {
          assert.ok(!heard.has(sequence - 1 + i), "twice");
          heard.set(sequence - 1 + i, byte);
        }
      }
      for (const [i, byte] of kind.payload.entries()) {
        const arrived = !gone.has(Math.floor((header + i) / chunk));
        assert.equal(heard.get(i), arrived ? byte : undefined, `byte ${i}`);
      }
      const size = kind.payload.length;
      for (const { sequence, flags, payload } of parts) {
        const atEnd = sequence - 1 + payload.length / 2 === size;
        assert.equal((flags & 0x09) !== 0, atEnd, "FIN and PSH are the end's");
        assert.equal((flags & 0x80) !== 0, sequence === 1, "CWR is the beginning's");
      }
    },
  ));
});

Deno.test("a packet that is no super-packet, or whose headers are lost, is not salvaged", () => {
  const payload = new Uint8Array(3_000);
  const plain = makeSuperPacket({ six: false, protocol: "udp", payload, gsoSize: 1000 });
  plain[1] = 0;
  assert.equal(receive(plain, (n) => Array.from({ length: n - 1 }, (_, i) => i)).written.length, 0);
  const tcp = makeSuperPacket({ six: true, protocol: "tcp", payload, gsoSize: 1000 });
  assert.equal(receive(tcp, () => [1, 2]).written.length, 0);
});

Deno.test("no segments make it write what is not there, or throw", () => {
  const segment = fc.record({
    index: fc.nat(20),
    last: fc.boolean(),
    trailer: fc.nat(255),
    length: fc.nat(chunk),
    bytes: fc.uint8Array({ minLength: 90, maxLength: 90 }),
    type: fc.constantFrom(0, 1, 4, 5, 0x81),
    first: fc.constantFrom(0x45, 0x4f, 0x60),
  });
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
      const memory = new Uint8Array(dataAt + segments.length * chunk);
      const received = new ReceivedPacket();
      for (const [n, { index, last, trailer, length, bytes, type, first }] of segments.entries()) {
        const at = dataAt + n * chunk;
        memory.set(bytes, at);
        memory[at + 1] = type;
        memory[at + virtioHeader] = first;
        memory[at + virtioHeader + 9] = type === 5 ? 17 : 6;
        received.add(index, last, trailer, at, length);
      }
      received.salvage(memory, new DataView(memory.buffer), chunk, headerAt, saveAt, () => {
        for (let i = 0; i < received.pieces; i++) {
          assert.ok(received.pieceLength[i]! > 0 && received.pieceAt[i]! >= headerAt);
          assert.ok(received.pieceAt[i]! + received.pieceLength[i]! <= memory.length);
        }
      });
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a packet is not whole because the number of its segments is right", () => {
  const received = new ReceivedPacket();
  received.add(0, false, 0, 100, 10);
  received.add(7, false, 0, 200, 10);
  received.add(2, true, 0, 300, 10);
  assert.equal(received.complete, false);
  received.clear();
  for (const index of [2, 0, 1]) received.add(index, index === 2, 0, index * 100, 10 + index);
  assert.equal(received.complete, true);
  assert.equal(received.whole(), 33);
  assert.deepEqual([...received.pieceAt.subarray(0, 3)], [0, 100, 200]);
});
