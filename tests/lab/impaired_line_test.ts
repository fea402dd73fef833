import assert from "node:assert/strict";
import { Prng } from "../simulation/prng.ts";
import { ImpairedLine, type Impairments } from "./impaired_line.ts";

const fine: Impairments = { lost: 0, late: 0, twice: 0, overtaking: 4 };

function line(impairments: Partial<Impairments>, room = Infinity) {
  const arrived: number[] = [];
  let kept = 0;
  const prng = new Prng("line");
  const ends = {
    deliver: (n: number) => void arrived.push(n),
    keep: (n: number) => kept++ < room ? n : undefined,
  };
  const made = new ImpairedLine<number>({ ...fine, ...impairments }, ends, () => prng.next());
  const send = (count: number) => {
    for (let n = 0; n < count; n++) made.push(n, 0);
  };
  return { line: made, arrived, send };
}

const all = (count: number) => Array.from({ length: count }, (_, n) => n);

Deno.test("a line without faults delivers everything in order", () => {
  const { arrived, send } = line({});
  send(100);
  assert.deepEqual(arrived, all(100));
});

Deno.test("as many are lost as were to be, and none comes twice", () => {
  const { line: { counts }, arrived, send } = line({ lost: 0.1 });
  send(10_000);
  assert.ok(counts.lost > 900 && counts.lost < 1_100, `${counts.lost}`);
  assert.equal(arrived.length, 10_000 - counts.lost);
  assert.deepEqual(arrived, arrived.toSorted((a, b) => a - b));
});

Deno.test("a late one is overtaken by some of those behind it, by no more, and is there in the end", () => {
  const { line: of, arrived, send } = line({ late: 0.1 });
  const { counts } = of;
  send(10_000);
  of.tick(5);
  assert.ok(counts.late > 900 && counts.late < 1_100, `${counts.late}`);
  assert.deepEqual(arrived.toSorted((a, b) => a - b), all(10_000));
  let overtaken = 0;
  for (const [at, n] of arrived.entries()) {
    // Late ones that wait at the same time come on top.
    const later = arrived.slice(Math.max(0, at - 20), at).filter((other) => other > n).length;
    if (later > 0) overtaken++;
    assert.ok(later <= 4 + 4, `${later} were faster than ${n}`);
  }
  assert.ok(overtaken > 800, `${overtaken}`);
});

Deno.test("one that comes twice comes at once, and again behind others", () => {
  const { line: of, arrived, send } = line({ twice: 0.1 });
  send(1_000);
  of.tick(5);
  assert.equal(arrived.length, 1_000 + of.counts.twice);
  assert.ok(of.counts.twice > 50);
  assert.deepEqual([...new Set(arrived)], all(1_000));
});

Deno.test("what nothing overtakes comes in time; what there is no room for is lost", () => {
  const { line: of, arrived, send } = line({ late: 1 }, 2);
  send(3);
  of.tick(4);
  assert.deepEqual([arrived, of.waiting], [[], 2]);
  of.tick(5);
  assert.deepEqual([arrived, of.waiting], [[0, 1], 0]);
});
