import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket } from "../packet/ip_packet.ts";
import { cutDatagrams } from "./cut_datagrams.ts";
import { DatagramBatch } from "./datagram_batch.ts";
import { headerRoom } from "./received_packet.ts";
import { makeSuperPacket, segmentLikeTheKernel } from "./testing.ts";
import { udpHeaders } from "./udp_headers.ts";
import { gsoType, virtioHeader } from "./virtio_header.ts";

interface Datagram {
  readonly six: boolean;
  readonly bytes: number;
  readonly port: number;
  readonly tos: number;
}

/** A single datagram from an interface, its checksum left to whoever gets it. */
function datagram({ six, bytes, port, tos }: Datagram, fill: number): Uint8Array {
  const packet = makeSuperPacket({
    six,
    protocol: "udp",
    payload: new Uint8Array(bytes).fill(fill),
    gsoSize: 2_000,
  });
  packet[1] = gsoType.none;
  packet[4] = packet[5] = 0;
  const ip = virtioHeader;
  packet[ip + (six ? 40 : 20) + 3] = port;
  if (six) packet[ip + 1] = tos << 4;
  else {
    // The header's sum is of no interest here, and the reader does not look at it.
    packet[ip + 1] = tos;
  }
  return packet;
}

/** Hands packets to a batch as the loop does. @returns what is written */
function gather(packets: readonly Uint8Array[]): Uint8Array[] {
  const memory = new Uint8Array(headerRoom + packets.reduce((sum, p) => sum + p.length, 0));
  const view = new DataView(memory.buffer);
  const batch = new DatagramBatch(memory, view, 0);
  const packet = new IpPacket();
  const written: Uint8Array[] = [];
  const flush = () => {
    if (batch.count === 0) return;
    const parts: number[] = [];
    const pieces = batch.take();
    for (let i = 0; i < pieces; i++) {
      const at = batch.pieceAt[i]!;
      parts.push(...memory.subarray(at, at + batch.pieceLength[i]!));
    }
    written.push(Uint8Array.from(parts));
  };
  let at = headerRoom;
  for (const bytes of packets) {
    memory.set(bytes, at);
    packet.parse(view, at + virtioHeader, bytes.length - virtioHeader);
    if (batch.count === 0 || !batch.add(at, bytes.length, packet)) {
      flush();
      if (batch.begins(at, packet)) batch.begin(at, bytes.length, packet);
      else written.push(bytes);
    }
    at += bytes.length;
  }
  flush();
  return written;
}

const datagrams = fc.array(
  fc.record({
    six: fc.boolean(),
    bytes: fc.constantFrom(1, 50, 50, 50, 1_200),
    port: fc.constantFrom(1, 1, 1, 2),
    tos: fc.constantFrom(0, 0, 0, 8),
  }),
  { minLength: 1, maxLength: 90 },
);

/** On a wire, without the header checksum that tests leave wrong, and what cards count up. */
const onWire = (packets: readonly Uint8Array[]) =>
  packets.flatMap(segmentLikeTheKernel).map(({ bytes }) =>
    bytes.startsWith("4") ? bytes.slice(0, 8) + bytes.slice(12, 20) + bytes.slice(24) : bytes
  );

Deno.test("what was gathered is the same datagrams in the same order", () => {
  fc.assert(fc.property(datagrams, (list) => {
    const packets = list.map(datagram);
    assert.deepEqual(onWire(gather(packets)), onWire(packets));
  }));
});

Deno.test("datagrams of a flow become one packet, up to what a kernel takes, and a shorter one ends it", () => {
  const one = { six: false, bytes: 100, port: 1, tos: 0 };
  const many = Array.from({ length: 130 }, () => one);
  assert.deepEqual(
    gather(many.map(datagram)).map((packet) => segmentLikeTheKernel(packet).length),
    [64, 64, 2],
  );
  const short = [one, one, { ...one, bytes: 40 }, one, { ...one, bytes: 200 }];
  assert.equal(gather(short.map(datagram)).length, 3);
});

Deno.test("what is no plain datagram, or has its checksum already, is left as it is", () => {
  const plain = { six: false, bytes: 100, port: 1, tos: 0 };
  const done = datagram(plain, 1);
  done[0] = 0;
  const tcp = makeSuperPacket({
    six: true,
    protocol: "tcp",
    payload: new Uint8Array(50),
    gsoSize: 60,
  });
  const packets = [done, done, tcp, tcp];
  assert.deepEqual(gather(packets).map((one) => one.toHex()), packets.map((one) => one.toHex()));
});

Deno.test("a super-packet is cut as the kernel would, however it lies in memory", () => {
  fc.assert(fc.property(
    fc.boolean(),
    fc.integer({ min: 1, max: 5_000 }),
    fc.integer({ min: 1, max: 1_400 }),
    fc.integer({ min: 60, max: 900 }),
    (six, bytes, gsoSize, chunk) => {
      fc.pre(bytes / gsoSize < 200);
      const payload = Uint8Array.from({ length: bytes }, (_, i) => i * 7);
      const packet = makeSuperPacket({ six, protocol: "udp", payload, gsoSize });
      const memory = new Uint8Array(headerRoom + packet.length * 2);
      const view = new DataView(memory.buffer);
      const pieces = Math.ceil(packet.length / chunk);
      const [at, length] = [new Int32Array(pieces), new Int32Array(pieces)];
      for (let i = 0; i < pieces; i++) {
        const part = packet.subarray(i * chunk, (i + 1) * chunk);
        at[i] = headerRoom + i * (chunk + 7);
        length[i] = part.length;
        memory.set(part, at[i]!);
      }
      const parsed = new IpPacket();
      parsed.parse(view, at[0]! + virtioHeader, packet.length - virtioHeader);
      const size = udpHeaders(parsed);
      const out = { at: new Int32Array(200), length: new Int32Array(200) };
      const written: Uint8Array[] = [];
      cutDatagrams(memory, view, at, length, pieces, size, gsoSize, 0, out, (count) => {
        const parts: number[] = [];
        for (let i = 0; i < count; i++) {
          parts.push(...memory.subarray(out.at[i]!, out.at[i]! + out.length[i]!));
        }
        written.push(Uint8Array.from(parts));
      });
      assert.ok(written.every((one) => one[1] === gsoType.none));
      assert.deepEqual(onWire(written), onWire([packet]));
    },
  ));
});
