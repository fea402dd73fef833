import type { FollowItem } from "../history/types.ts";

/** A comment goes out so often: whoever is gone is noticed, and proxies keep the connection. */
const aliveMs = 15_000;

/**
 * Events as `text/event-stream`: `id` is the event's, `data` its JSON. A follower that was too slow gets an event `lost` with
 * `{"count":n}` instead of what it missed.
 * @param follow begins to follow; the signal it gets aborts when the client is gone
 * @param signal ends the stream
 */
export function historyStream(
  follow: (signal: AbortSignal) => AsyncIterable<FollowItem>,
  signal: AbortSignal,
): Response {
  const gone = new AbortController();
  const ended = AbortSignal.any([signal, gone.signal]);
  const items = follow(ended)[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let alive: ReturnType<typeof setInterval>;
  const stop = () => {
    clearInterval(alive);
    gone.abort();
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // The first bytes at once, so that the client sees that it is connected.
      controller.enqueue(encoder.encode(": pulse\n\n"));
      alive = setInterval(() => controller.enqueue(encoder.encode(": alive\n\n")), aliveMs);
      signal.addEventListener("abort", () => clearInterval(alive), { once: true });
    },
    // Called when the client has taken what there was: it is the queue of `follow` that bounds.
    async pull(controller) {
      const { value, done } = await items.next();
      if (done) {
        stop();
        controller.close();
      } else {
        controller.enqueue(encoder.encode(eventText(value)));
      }
    },
    cancel: stop,
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
  });
}

function eventText(item: FollowItem): string {
  if (item.kind === "lost") {
    return `event: lost\ndata: ${JSON.stringify({ count: item.count })}\n\n`;
  }
  return `id: ${item.event.id}\ndata: ${JSON.stringify(item.event)}\n\n`;
}
