import assert from "node:assert/strict";
import { DenialCounts } from "./denial_counts.ts";

Deno.test("denials are counted by rule until the rules change, and in all for ever", () => {
  const counts = new DenialCounts();
  for (const rule of [3, null, 3, 0]) counts.add(rule);
  assert.deepEqual([...counts.byRule], [[3, 2], [0, 1]]);
  assert.deepEqual([counts.unmatched, counts.total], [1, 4]);
  counts.startOver();
  assert.deepEqual([counts.byRule.size, counts.unmatched, counts.total], [0, 0, 4]);
});

Deno.test("no more than 1,024 rules are counted one by one", () => {
  const counts = new DenialCounts();
  for (let rule = 0; rule < 2_000; rule++) counts.add(rule);
  counts.add(0);
  assert.deepEqual([counts.byRule.size, counts.byRule.get(0), counts.total], [1_024, 2, 2_001]);
});
