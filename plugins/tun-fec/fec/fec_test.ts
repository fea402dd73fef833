import assert from "node:assert/strict";
import fc from "fast-check";
import { fragmentWord, segmentHead, segmentKind, writeHead } from "../wire/segment.ts";
import { FecDecoder } from "./decoder.ts";
import { FecEncoder, type FecScheme } from "./encoder.ts";

const largest = 200;
const receiver = 0xfeed;

interface Sent {
  readonly counter: number;
  readonly bytes: Uint8Array;
  readonly parity: boolean;
}

/** A segment that looks sealed: its contents follow from its counter. */
function segment(counter: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const fragment = fragmentWord({
    index: counter % 7,
    last: counter % 3 === 0,
    trailer: 0,
    way: 0,
    direct: true,
    control: false,
  });
  writeHead(new DataView(bytes.buffer), 0, segmentKind.data, receiver, fragment, counter);
  for (let i = segmentHead; i < length; i++) bytes[i] = counter * 31 + i * 7;
  return bytes;
}

/** Everything a sender would put on the wire for segments of these lengths. */
function send(scheme: FecScheme, lengths: readonly number[], from = 0): Sent[] {
  const encoder = new FecEncoder(largest);
  encoder.scheme = scheme;
  const sent: Sent[] = [];
  const out = new Uint8Array(largest + 64);
  const take = (counter: number, rows: number) => {
    for (let row = 0; row < rows; row++) {
      const length = encoder.take(counter, row, receiver, out, 0);
      sent.push({ counter, bytes: out.slice(0, length), parity: true });
    }
  };
  for (const [n, length] of lengths.entries()) {
    const bytes = segment(from + n, length);
    sent.push({ counter: from + n, bytes, parity: false });
    take(from + n, encoder.add(bytes, 0, length, from + n));
  }
  for (const counter of [...encoder.pending()]) take(counter, scheme.rows);
  assert.equal(encoder.open, 0);
  return sent;
}

/** What a receiver repairs of what arrives, by counter. Each is checked byte by byte. */
function receive(arrived: readonly Sent[], original: readonly Sent[]): Set<number> {
  const decoder = new FecDecoder(largest);
  const repaired = new Set<number>();
  for (const { bytes, counter, parity } of arrived) {
    if (!parity) {
      decoder.add(bytes, 0, bytes.length, counter);
      continue;
    }
    decoder.addParity(bytes, 0, bytes.length, (found, length, at) => {
      const before = original.find((sent) => !sent.parity && sent.counter === at)!;
      assert.equal(found.subarray(0, length).toHex(), before.bytes.toHex());
      repaired.add(at);
    });
  }
  return repaired;
}

const lengthsOf = fc.array(fc.integer({ min: 36, max: largest }), { minLength: 1, maxLength: 60 });

Deno.test("10+1: any one loss in a group is repaired, byte for byte and in its own length", () => {
  fc.assert(fc.property(lengthsOf, fc.nat(), (lengths, pick) => {
    const sent = send({ group: 10, rows: 1, depth: 1 }, lengths, 1000);
    const lost = 1000 + pick % lengths.length;
    const arrived = sent.filter(({ parity, counter }) => parity || counter !== lost);
    assert.deepEqual([...receive(arrived, sent)], [lost]);
  }));
});

Deno.test("interleaved groups repair a burst as long as they are many", () => {
  const lengths = new Array<number>(80).fill(150);
  const sent = send({ group: 10, rows: 1, depth: 8 }, lengths);
  for (let start = 0; start + 8 <= 80; start++) {
    const inBurst = (n: number) => n >= start && n < start + 8;
    const arrived = sent.filter(({ parity, counter }) => parity || !inBurst(counter));
    assert.equal(receive(arrived, sent).size, 8, `burst at ${start}`);
  }
});

Deno.test("with several rows as many losses are repaired, whichever rows arrive", () => {
  fc.assert(fc.property(
    lengthsOf,
    fc.integer({ min: 2, max: 6 }),
    fc.infiniteStream(fc.nat()),
    (lengths, rows, random) => {
      const draw = (below: number) => (random.next().value as number) % below;
      const sent = send({ group: 10, rows, depth: 2 }, lengths);
      const lost = new Set<Sent>();
      // As many losses in each group as it has rows, parities among them.
      for (const group of Map.groupBy(sent, ({ counter }) => groupOf(counter, 10, 2)).values()) {
        for (let n = 0; n < rows; n++) lost.add(group[draw(group.length)]!);
      }
      const arrived = sent.filter((one) => !lost.has(one));
      const expected = [...lost].filter(({ parity }) => !parity).map(({ counter }) => counter);
      assert.deepEqual([...receive(arrived, sent)].sort(), expected.sort());
    },
  ));
});

/** Name of the group a counter belongs to, when counters begin at 0. */
function groupOf(counter: number, group: number, depth: number): string {
  return `${counter % depth}/${Math.floor(counter / depth / group)}`;
}

Deno.test("more losses than rows are not repaired, and nothing wrong is proposed", () => {
  const sent = send({ group: 10, rows: 1, depth: 1 }, new Array<number>(20).fill(100));
  const arrived = sent.filter(({ parity, counter }) => parity || ![3, 4].includes(counter));
  assert.equal(receive(arrived, sent).size, 0);
});

Deno.test("a changed scheme holds when the open groups are done", () => {
  const encoder = new FecEncoder(largest);
  encoder.scheme = { group: 3, rows: 1, depth: 1 };
  const out = new Uint8Array(largest + 64);
  const add = (n: number) => encoder.add(segment(n, 60), 0, 60, n);
  assert.equal(add(0), 0);
  encoder.scheme = { group: 2, rows: 2, depth: 1 };
  assert.deepEqual([add(1), add(2)], [0, 1]);
  encoder.take(2, 0, receiver, out, 0);
  assert.deepEqual([add(3), add(4)], [0, 2]);
  assert.throws(() => encoder.scheme = { group: 21, rows: 1, depth: 1 }, RangeError);
});

Deno.test("no parity makes a decoder do anything but propose or refuse", () => {
  const decoder = new FecDecoder(largest);
  for (let n = 0; n < 40; n++) if (n !== 7) decoder.add(segment(n, 90), 0, 90, n);
  fc.assert(fc.property(
    fc.uint8Array({ maxLength: largest + 40 }),
    fc.option(fc.record({ first: fc.nat(9), count: fc.nat(25), rows: fc.nat(9), row: fc.nat(9) })),
    (bytes, head) => {
      if (head !== null && bytes.length >= 20) {
        const view = new DataView(bytes.buffer);
        view.setBigUint64(8, BigInt(head.first));
        bytes.set([1, head.count, head.row, head.rows], 16);
      }
      decoder.addParity(bytes, 0, bytes.length, (found, length) => {
        assert.ok(length <= found.length);
      });
    },
  ));
});
