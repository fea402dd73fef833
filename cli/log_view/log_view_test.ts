import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { FileSink } from "../../core/log/file_sink.ts";
import { follow } from "./follow.ts";
import { readTail } from "./read_tail.ts";
import { showLine } from "./show_line.ts";

async function withFile(run: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(join(dir, "pulse.log"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("the tail of a file is its last whole lines, however long they are", async () => {
  await withFile(async (path) => {
    assert.deepEqual(await readTail(path, 5), { lines: [], offset: 0, inode: null });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 60_000 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 10 }),
        fc.boolean(),
        async (lengths, count, torn) => {
          const lines = lengths.map((length, i) => String(i % 10).repeat(length));
          const whole = lines.map((line) => `${line}\n`).join("");
          await Deno.writeTextFile(path, whole + (torn ? "torn" : ""));
          const tail = await readTail(path, count);
          assert.deepEqual(tail.lines, lines.slice(-count));
          assert.equal(tail.offset, whole.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

Deno.test("a log is followed through its rotation without a line lost or repeated", async () => {
  await withFile(async (path) => {
    const seen: string[] = [];
    const stop = new AbortController();
    const done = Promise.withResolvers<void>();
    using sink = new FileSink({ path, rotateBytes: 4_000 });
    const write = (n: number) =>
      sink.write({ time: 0, level: "info", component: "", message: `line ${n}`, fields: {} });
    write(0);
    const { offset, inode } = await readTail(path, 1);
    const following = follow({
      path,
      offset,
      inode,
      signal: stop.signal,
      line: (text) => {
        seen.push(JSON.parse(text).msg);
        if (seen.length % 40 === 0) done.resolve();
        if (seen.length === 60) stop.abort();
      },
    });
    for (let n = 1; n <= 40; n++) write(n);
    await done.promise;
    for (let n = 41; n <= 60; n++) write(n);
    await following;
    assert.deepEqual(seen, Array.from({ length: 60 }, (_, i) => `line ${i + 1}`));
    assert.equal((await Deno.stat(`${path}.1`)).isFile, true);
  });
});

Deno.test("a line of the log is shown for people, anything else as it is, and neither can act", () => {
  const line =
    `{"ts":"2026-01-02T03:04:05.006Z","level":"warn","component":"node","msg":"link down","peer":"ab"}`;
  assert.match(showLine(line, false), /^\d\d:\d\d:05\.006 WARN {2}node link down peer=ab$/);
  assert.equal(showLine("thread panicked\x1b[2J", false), "thread panicked\\x1b[2J");
  assert.equal(showLine(`{"ts":"x"}`, false), `{"ts":"x"}`);
});
