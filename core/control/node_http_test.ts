import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { eventStream, type StreamEvent } from "./event_stream.ts";
import { sendResponse } from "./node_http.ts";

/** Serves one answer until `run` is over; `sent` resolves when its sending has ended. */
async function withAnswer(
  answer: () => Response,
  run: (url: string, sent: Promise<void>) => Promise<void>,
): Promise<void> {
  const sent = Promise.withResolvers<void>();
  const server = http.createServer((_request, response) => {
    sendResponse(answer(), response).then(sent.resolve, sent.reject);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent.promise);
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

Deno.test("a follower over the network gets events as they come, and its leaving ends the source", async () => {
  const ended = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<StreamEvent> {
    try {
      yield { id: "1", type: "a", data: 1 };
      await waiting.promise;
      for (let id = 2;; id++) yield { id: `${id}`, type: "b", data: "x".repeat(1_000) };
    } finally {
      ended.resolve();
    }
  }
  const stop = new AbortController();
  await withAnswer(() => eventStream(source(), stop.signal), async (url, sent) => {
    const leave = new AbortController();
    const response = await fetch(url, { signal: leave.signal });
    let text = "";
    for await (const chunk of response.body!.values({ preventCancel: true })) {
      text += new TextDecoder().decode(chunk);
      if (text.includes("id: 1\n")) break;
    }
    waiting.resolve();
    leave.abort();
    await ended.promise;
    await sent;
  });
});

Deno.test("an answer whose source breaks off breaks off too", async () => {
  const broken = () => {
    let first = true;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (!first) throw new Error("broken");
          first = false;
          controller.enqueue(new Uint8Array(10));
        },
      }),
    );
  };
  await withAnswer(broken, async (url, sent) => {
    await assert.rejects(async () => await (await fetch(url)).text());
    await sent;
  });
});
