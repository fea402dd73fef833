import assert from "node:assert/strict";
import { StreamResetError } from "../../core/sessions/errors.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { pipe } from "../../core/streams/pipe.ts";
import { StdioStream } from "./stdio_stream.ts";

function ends(input: readonly string[]) {
  const chunks = input.map((text) => new TextEncoder().encode(text));
  const written: string[] = [];
  const closed: string[] = [];
  return {
    written,
    closed,
    input: {
      read: (buffer: Uint8Array) => {
        const chunk = chunks.shift();
        if (chunk === undefined) return Promise.resolve(null);
        buffer.set(chunk);
        return Promise.resolve(chunk.length);
      },
      close: () => closed.push("input"),
    },
    output: {
      write: (chunk: Uint8Array) => {
        // One byte at a time: a pipe may take less than it is given.
        written.push(new TextDecoder().decode(chunk.subarray(0, 1)));
        return Promise.resolve(1);
      },
      close: () => closed.push("output"),
    },
  };
}

Deno.test("what comes back after the end of stdin still reaches stdout", async () => {
  const stdio = ends(["que", "ry"]);
  const [near, far] = memoryStreamPair();
  const piping = pipe(new StdioStream(stdio), near);
  const asked: number[] = [];
  for (let chunk; (chunk = await far.read()) !== null;) asked.push(...chunk);
  assert.equal(new TextDecoder().decode(new Uint8Array(asked)), "query");
  await far.write(new TextEncoder().encode("answer"));
  await far.closeWrite();
  assert.deepEqual(await piping, { aToB: 5, bToA: 6 });
  assert.equal(stdio.written.join(""), "answer");
  assert.deepEqual(stdio.closed, ["output"]);
});

Deno.test("a broken stdout breaks the stream", async () => {
  const stdio = ends([]);
  stdio.output.write = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  const stream = new StdioStream(stdio);
  await assert.rejects(stream.write(Uint8Array.of(1)), StreamResetError);
  stream.reset();
  stream.reset();
  await stream.closed;
  assert.deepEqual(stdio.closed, ["input", "output"]);
});
