import assert from "node:assert/strict";
import { eventStream, lastEventId, type StreamEvent } from "./event_stream.ts";

async function* count(signal: AbortSignal, taken: string[] = [], data: unknown = 0) {
  for (let i = 1; !signal.aborted; i++) {
    taken.push(`${i}`);
    yield { id: `${i}`, type: "tick", data } satisfies StreamEvent;
  }
}

/** Ends with the signal, and says nothing before. */
function silent(signal: AbortSignal): AsyncIterable<StreamEvent> {
  const { promise, resolve } = Promise.withResolvers<IteratorReturnResult<undefined>>();
  const end = () => resolve({ done: true, value: undefined });
  signal.addEventListener("abort", end, { once: true });
  return { [Symbol.asyncIterator]: () => ({ next: () => promise }) };
}

async function* only(event: StreamEvent): AsyncGenerator<StreamEvent> {
  yield event;
}

async function textOf(response: Response): Promise<string> {
  return await response.text();
}

Deno.test("events are sent with id, type and one line of JSON, and the end of the source is the end", async () => {
  async function* two(): AsyncGenerator<StreamEvent> {
    yield { id: "7", type: "link_up", data: { peer: "a\nb" } };
    yield { id: "8", type: "link_down", data: null };
  }
  const response = eventStream(two(), new AbortController().signal);
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(
    await textOf(response),
    'retry: 2000\n\nid: 7\nevent: link_up\ndata: {"peer":"a\\nb"}\n\n' +
      "id: 8\nevent: link_down\ndata: null\n\n",
  );
});

Deno.test("a source is not asked for more than fits while its follower does not read", async () => {
  const stop = new AbortController();
  const taken: string[] = [];
  const response = eventStream(count(stop.signal, taken, "x".repeat(100)), stop.signal, {
    bufferBytes: 1_000,
  });
  const reader = response.body!.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(taken.length > 3 && taken.length < 12, `${taken.length} taken`);
  stop.abort();
  await reader.cancel();
});

Deno.test("a quiet source is kept alive by comments, and the signal ends it", async () => {
  const stop = new AbortController();
  const response = eventStream(silent(stop.signal), stop.signal, { heartbeatMs: 5 });
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  assert.match(decoder.decode((await reader.read()).value), /^retry/);
  for (let i = 0; i < 3; i++) assert.equal(decoder.decode((await reader.read()).value), ": \n\n");
  stop.abort();
  for (;;) if ((await reader.read()).done) break;
});

Deno.test("a follower that does not read for two heartbeats is cut off, and the source told", async () => {
  const ended = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<StreamEvent> {
    try {
      for (;;) yield { id: "1", type: "tick", data: "x".repeat(100) };
    } finally {
      ended.resolve();
    }
  }
  const response = eventStream(endless(), new AbortController().signal, {
    heartbeatMs: 5,
    bufferBytes: 500,
  });
  await ended.promise;
  assert.ok((await textOf(response)).length < 1_000);
});

Deno.test("a follower that leaves ends the source", async () => {
  const ended = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<StreamEvent> {
    try {
      for (let i = 0;; i++) yield { id: `${i}`, type: "tick", data: i };
    } finally {
      ended.resolve();
    }
  }
  const response = eventStream(endless(), new AbortController().signal);
  const reader = response.body!.getReader();
  await reader.read();
  await reader.read();
  await reader.cancel();
  await ended.promise;
});

Deno.test("an event that would forge another one breaks the stream instead", async () => {
  for (
    const wrong of [{ id: "1\nid: 2", type: "x" }, { id: "1", type: "a b" }, { id: "", type: "x" }]
  ) {
    await assert.rejects(
      textOf(eventStream(only({ ...wrong, data: 1 }), new AbortController().signal)),
      {
        code: "EVENT_INVALID",
      },
    );
  }
});

Deno.test("a returning follower says what it has seen, in one word", () => {
  assert.equal(lastEventId(new Headers()), null);
  assert.equal(lastEventId(new Headers({ "last-event-id": "42" })), "42");
  for (const id of ["", "a b", "x".repeat(129)]) {
    assert.throws(() => lastEventId(new Headers({ "last-event-id": id })), {
      code: "HEADER_INVALID",
    });
  }
});
