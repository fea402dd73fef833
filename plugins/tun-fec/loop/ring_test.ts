import assert from "node:assert/strict";
import fc from "fast-check";
import { largestMessage, receiveRing } from "./limits.ts";
import { Ring } from "./ring.ts";
import { FakeMemory } from "./testing.ts";

Deno.test("messages never overlap, and what the next one may overwrite is said before", () => {
  const length = fc.oneof(fc.nat(2_000), fc.integer({ min: 60_000, max: largestMessage }));
  const messages = fc.array(fc.record({ length, close: fc.boolean() }), {
    minLength: 100,
    maxLength: 300,
  });
  fc.assert(
    fc.property(messages, (list) => {
      const ring = new Ring(new FakeMemory());
      const start = ring.at;
      const kept: { at: number; position: number; length: number }[] = [];
      for (const { length, close } of list) {
        const { at, position, overwritten } = ring;
        assert.ok(at >= start && at + largestMessage <= start + receiveRing);
        for (const one of kept) {
          const hit = one.at < at + largestMessage && at < one.at + one.length;
          assert.ok(!hit || one.position < overwritten, "what is hit has been said to be");
        }
        kept.push({ at, position, length });
        ring.keep(length, close);
        if (close && ring.at > at) assert.ok(ring.at - at - length < 4, "close to the next");
      }
    }),
    { numRuns: 20 },
  );
});
