import assert from "node:assert/strict";
import fc from "fast-check";
import { LossMeter } from "./loss_meter.ts";

const state = ({ segments, lost, burst }: LossMeter) => ({ segments, lost, burst });

Deno.test("nothing is judged before its time", () => {
  const meter = new LossMeter();
  for (const counter of [0, 1, 4, 5]) meter.arrived(counter);
  meter.look();
  assert.deepEqual(state(meter), { segments: 0, lost: 0, burst: 1 });
  meter.arrived(3);
  meter.look();
  assert.deepEqual(state(meter), { segments: 6, lost: 1, burst: 1 });
  meter.take();
  meter.look();
  assert.deepEqual(state(meter), { segments: 0, lost: 0, burst: 1 });
});

Deno.test("what is late is lost, and counted once", () => {
  const meter = new LossMeter();
  for (const counter of [0, 2]) meter.arrived(counter);
  meter.look();
  meter.look();
  meter.arrived(1);
  meter.look();
  assert.deepEqual(state(meter), { segments: 3, lost: 1, burst: 1 });
});

Deno.test("counters before the first, and a long silence, are told apart", () => {
  const meter = new LossMeter();
  meter.arrived(1_000);
  meter.arrived(100_000);
  meter.look();
  meter.look();
  assert.deepEqual(state(meter), { segments: 99_001, lost: 98_999, burst: 98_999 });
});

Deno.test("share and runs are those of what was dropped, with some order lost, however it is looked at", () => {
  const losses = fc.array(
    fc.record({ at: fc.nat(30_000), length: fc.integer({ min: 1, max: 40 }) }),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(losses, fc.nat(5), fc.integer({ min: 500, max: 9_000 }), (list, swap, every) => {
      const gone = new Set<number>();
      for (const { at, length } of list) for (let i = 0; i < length; i++) gone.add(at + i + 1);
      const meter = new LossMeter();
      const total = 40_000;
      const order = Array.from({ length: total }, (_, i) => i).filter((i) => !gone.has(i));
      for (let i = 0; i + swap < order.length; i += 97) {
        [order[i], order[i + swap]] = [order[i + swap]!, order[i]!];
      }
      // Counters begin with the first that arrives.
      order.sort((a, b) => a === 0 ? -1 : b === 0 ? 1 : 0);
      for (const [n, counter] of order.entries()) {
        meter.arrived(counter);
        if (n % every === every - 1) meter.look();
      }
      meter.look();
      meter.look();
      const runs = [...gone].filter((one) => !gone.has(one - 1)).length;
      assert.deepEqual(state(meter), {
        segments: total,
        lost: gone.size,
        burst: gone.size === 0 ? 1 : gone.size / runs,
      });
    }),
    { numRuns: 15 },
  );
});
