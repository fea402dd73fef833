import assert from "node:assert/strict";
import { openFiles, residentBytes } from "./memory.ts";

Deno.test("resident memory is what the runtime itself says", () => {
  const { rss } = Deno.memoryUsage();
  const seen = residentBytes(Deno.pid);
  assert.ok(Math.abs(seen - rss) < rss / 5, `${seen} is far from ${rss}`);
});

Deno.test("an open file shows in the count and a closed one does not", async () => {
  const before = openFiles(Deno.pid);
  const file = await Deno.open("/dev/null");
  assert.equal(openFiles(Deno.pid), before + 1);
  file.close();
  assert.equal(openFiles(Deno.pid), before);
});

Deno.test("a process that does not exist is an error", () => {
  assert.throws(() => residentBytes(2 ** 30));
  assert.throws(() => openFiles(2 ** 30));
});
