import assert from "node:assert/strict";
import type { NodeId } from "../identity/types.ts";
import { diversePaths } from "./diverse_paths.ts";

const paths = (...all: string[]) => all.map((path) => ({ nodes: [...path] as NodeId[] }));
const chosen = (count: number, ...all: string[]) =>
  diversePaths(paths(...all), count).map(({ nodes }) => nodes.join(""));

Deno.test("the second path shares no relay with the first where there is such a one", () => {
  assert.deepEqual(chosen(2, "asc", "asrc", "arc", "arsc"), ["asc", "arc"]);
  assert.deepEqual(chosen(2, "asrc", "arc", "auc"), ["asrc", "auc"]);
});

Deno.test("a straight path shares nothing with any", () => {
  assert.deepEqual(chosen(2, "ac", "asc", "arc"), ["ac", "asc"]);
  assert.deepEqual(chosen(3, "asc", "asrc", "ac"), ["asc", "ac", "asrc"]);
});

Deno.test("where all paths share a relay the best ones are taken", () => {
  assert.deepEqual(chosen(2, "asc", "asrc", "asuc"), ["asc", "asrc"]);
  assert.deepEqual(chosen(2, "asc"), ["asc"]);
  assert.deepEqual(chosen(2), []);
});
