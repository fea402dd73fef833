import assert from "node:assert/strict";
import fc from "fast-check";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { readLine } from "./read_line.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("however the bytes are cut, the line is the line and every byte behind it is payload", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => !text.includes("\n")),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      async (line, payload, cuts) => {
        const [near, far] = memoryStreamPair();
        const all = new Uint8Array([...bytes(`${line}\n`), ...payload]);
        for (let at = 0, i = 0; at < all.length; i++) {
          const next = Math.min(all.length, at + (cuts[i % cuts.length] ?? 1));
          await near.write(all.subarray(at, next));
          at = next;
        }
        await near.closeWrite();
        const result = await readLine(far, 4096);
        assert.equal(result.line, line);
        const rest: number[] = [];
        for (let chunk; (chunk = await result.rest.read()) !== null;) rest.push(...chunk);
        assert.deepEqual(new Uint8Array(rest), payload);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("a line that never ends, ends too early or is not text is refused before more than the limit is held", async () => {
  for (
    const [sent, message] of [
      [new Uint8Array(200).fill(65), /longer than 100 bytes/],
      [bytes("no newline"), /ended after 10 bytes/],
      [Uint8Array.of(0xff, 10), /not UTF-8/],
    ] as const
  ) {
    const [near, far] = memoryStreamPair();
    await near.write(sent);
    await near.closeWrite();
    await assert.rejects(readLine(far, 100), { code: "LINE_INVALID", message });
  }
});
