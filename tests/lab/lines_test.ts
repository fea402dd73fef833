import assert from "node:assert/strict";
import { readLines } from "./lines.ts";

Deno.test("lines are put together from chunks that end anywhere, also inside a character", async () => {
  const bytes = new TextEncoder().encode("one\ntwö\n\nlast");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const source = ReadableStream.from([bytes.slice(0, cut), bytes.slice(cut)]);
    assert.deepEqual(await Array.fromAsync(readLines(source)), ["one", "twö", "", "last"]);
  }
});
