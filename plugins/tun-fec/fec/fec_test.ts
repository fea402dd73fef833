import assert from "node:assert/strict";
import fc from "fast-check";
import { fragmentWord, segmentHead, segmentKind, writeHead } from "../wire/segment.ts";
import { FecDecoder } from "./decoder.ts";
import { FecEncoder } from "./encoder.ts";
import { type FecScheme, overheadCap } from "./scheme.ts";

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
  // However little they cover.
  const encoder = new FecEncoder(largest, 0, Infinity);
  encoder.scheme = scheme;
  const sent: Sent[] = [];
  const take = (due: number) => {
    for (const bytes of taken(encoder, due)) {
      const counter = Number(new DataView(bytes.buffer).getBigUint64(8));
      sent.push({ counter, bytes, parity: true });
    }
  };
  for (const [n, length] of lengths.entries()) {
    const bytes = segment(from + n, length);
    sent.push({ counter: from + n, bytes, parity: false });
    take(encoder.add(bytes, 0, length, from + n));
  }
  take(encoder.close());
  assert.equal(encoder.open, 0);
  return sent;
}

/** The parity that is due. */
function taken(encoder: FecEncoder, due: number): Uint8Array[] {
  const out = new Uint8Array(largest + 64);
  return Array.from(
    { length: due },
    (_, i) => out.slice(0, encoder.take(i, receiver, out, 0)),
  );
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
      for (const group of groupsOf(sent)) {
        const sentRows = group.filter(({ parity }) => parity).length;
        for (let n = 0; n < sentRows; n++) lost.add(group[draw(group.length)]!);
      }
      const arrived = sent.filter((one) => !lost.has(one));
      const expected = [...lost].filter(({ parity }) => !parity).map(({ counter }) => counter);
      assert.deepEqual([...receive(arrived, sent)].sort(), expected.sort());
    },
  ));
});

/** Segments with their parity. */
function groupsOf(sent: readonly Sent[]): Sent[][] {
  const parities = sent.filter(({ parity }) => parity);
  return [...Map.groupBy(parities, ({ counter }) => counter).values()].map((rows) => {
    const { counter, bytes } = rows[0]!;
    const [stride, count] = [bytes[16]!, bytes[17]!];
    const covered = Array.from({ length: count }, (_, i) => counter + i * stride);
    return [...rows, ...sent.filter((one) => !one.parity && covered.includes(one.counter))];
  });
}

Deno.test("more losses than rows are not repaired, and nothing wrong is proposed", () => {
  const sent = send({ group: 10, rows: 1, depth: 1 }, new Array<number>(20).fill(100));
  const arrived = sent.filter(({ parity, counter }) => parity || ![3, 4].includes(counter));
  assert.equal(receive(arrived, sent).size, 0);
});

Deno.test("parity of interleaved groups is sent row by row, so that a burst takes one of each", () => {
  const parities = send({ group: 4, rows: 2, depth: 3 }, new Array<number>(12).fill(100))
    .filter(({ parity }) => parity);
  assert.deepEqual(parities.map(({ counter }) => counter), [0, 1, 2, 0, 1, 2]);
  assert.deepEqual(parities.map(({ bytes }) => bytes[18]), [0, 0, 0, 1, 1, 1]);
});

Deno.test("parity is never more than a third of what it covers, in bytes, however rounds end", () => {
  const scheme = fc.constantFrom(
    { group: 32, rows: 10, depth: 1 },
    { group: 20, rows: 6, depth: 4 },
    { group: 10, rows: 3, depth: 2 },
    { group: 5, rows: 1, depth: 1 },
  );
  const lengths = fc.array(fc.integer({ min: 36, max: largest }), { minLength: 1, maxLength: 150 });
  fc.assert(fc.property(scheme, lengths, (scheme, lengths) => {
    const encoder = new FecEncoder(largest);
    encoder.scheme = scheme;
    let [covered, parity] = [0, 0];
    for (const [n, length] of lengths.entries()) {
      covered += length;
      const due = encoder.add(segment(n, length), 0, length, n);
      for (const { length } of taken(encoder, due)) parity += length;
      assert.ok(parity <= covered * overheadCap);
    }
    for (const { length } of taken(encoder, encoder.close())) parity += length;
    assert.ok(parity <= covered * overheadCap, `${parity} over ${covered}`);
  }));
});

Deno.test("a round that is closed before its time gets what its few segments are worth", () => {
  const closed = (count: number, depth = 1) => {
    const encoder = new FecEncoder(largest);
    encoder.scheme = { group: 32, rows: 4, depth };
    for (let n = 0; n < count; n++) encoder.add(segment(n, largest), 0, largest, n);
    return encoder.close();
  };
  // At least one row and no more than a third; between, as the spread of losses is.
  assert.deepEqual([3, 4, 8, 16, 31].map((count) => closed(count)), [0, 1, 2, 3, 4]);
  // However deep it was to be: 12 in one group, 40 in two, and not two and five for each of eight.
  assert.deepEqual([12, 40].map((count) => closed(count, 8)), [3, 2 * 4]);
});

Deno.test("a counter that is missing begins a new round, and a changed scheme, too", () => {
  const encoder = new FecEncoder(largest);
  encoder.scheme = { group: 8, rows: 1, depth: 1 };
  const add = (n: number) => encoder.add(segment(n, 60), 0, 60, n);
  assert.deepEqual([add(0), add(1), encoder.open], [0, 0, 2]);
  assert.deepEqual([add(3), encoder.open], [0, 1]);
  encoder.scheme = { group: 7, rows: 1, depth: 1 };
  assert.equal(encoder.open, 0);
  assert.deepEqual([4, 5, 6, 7, 8, 9, 10].map(add), [0, 0, 0, 0, 0, 0, 1]);
  for (
    const wrong of [{ group: 33, rows: 1, depth: 1 }, { group: 32, rows: 11, depth: 1 }, {
      group: 32,
      rows: 1,
      depth: 11,
    }]
  ) assert.throws(() => encoder.scheme = wrong, RangeError);
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
