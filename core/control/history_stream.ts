import type { FollowItem } from "../history/types.ts";
import type { StreamEvent } from "./event_stream.ts";

/**
 * Events of the history for `eventStream()`: each by its number and type; `lost`, with the number of the last one lost, where the
 * follower was too slow.
 * @param follow begins to follow; its signal is aborted when the follower leaves, however long nothing happens
 * @param signal ends it too
 */
export function historyStream(
  follow: (signal: AbortSignal) => AsyncIterable<FollowItem>,
  signal: AbortSignal,
): AsyncIterable<StreamEvent> {
  const gone = new AbortController();
  const items = follow(AbortSignal.any([signal, gone.signal]))[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const { value, done } = await items.next();
        return done ? { value: undefined, done } : { value: streamEvent(value), done: false };
      },
      return: () => {
        gone.abort();
        return Promise.resolve({ value: undefined, done: true });
      },
    }),
  };
}

function streamEvent(item: FollowItem): StreamEvent {
  if (item.kind === "lost") {
    return { id: `${item.last}`, type: "lost", data: { count: item.count } };
  }
  return { id: `${item.event.id}`, type: "event", data: item.event };
}
