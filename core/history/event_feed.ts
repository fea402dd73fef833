import { HistoryError } from "./errors.ts";
import type { FollowItem, FollowOptions, HistoryEvent } from "./types.ts";

/** Followers at once. */
export const maxFollowers = 32;
/** Events kept for a follower that does not take them; beyond that it loses the oldest and is told how many. */
export const followerQueue = 256;

interface Follower {
  readonly options: FollowOptions;
  readonly queue: HistoryEvent[];
  lost: number;
  lastLost: number;
  wake(): void;
}

/** Gives every event to everybody who follows, at the follower's own pace and at a bounded cost. */
export class EventFeed {
  readonly #followers = new Set<Follower>();
  readonly #ended = new AbortController();

  get followers(): number {
    return this.#followers.size;
  }

  publish(event: HistoryEvent): void {
    for (const follower of this.#followers) {
      if (!passes(event, follower.options)) continue;
      follower.queue.push(event);
      if (follower.queue.length > followerQueue) {
        follower.lastLost = follower.queue.shift()?.id ?? 0;
        follower.lost++;
      }
      follower.wake();
    }
  }

  /**
   * Followed from this call on, not from the first item that is taken.
   * @param backlog what goes before, oldest first
   * @throws {HistoryError} HISTORY_FOLLOWERS_UNAVAILABLE
   */
  follow(options: FollowOptions, backlog: readonly HistoryEvent[]): AsyncGenerator<FollowItem> {
    if (this.#followers.size >= maxFollowers) {
      throw new HistoryError(
        "HISTORY_FOLLOWERS_UNAVAILABLE",
        `${maxFollowers} programs follow the events of this node already`,
      );
    }
    const follower: Follower = { options, queue: [], lost: 0, lastLost: 0, wake: () => {} };
    this.#followers.add(follower);
    const signal = AbortSignal.any([options.signal, this.#ended.signal]);
    // A generator that is never begun is never finished either.
    signal.addEventListener("abort", () => {
      this.#followers.delete(follower);
      follower.wake();
    }, { once: true });
    if (signal.aborted) this.#followers.delete(follower);
    return this.#items(follower, backlog, signal);
  }

  /** Ends every follower. */
  end(): void {
    this.#ended.abort();
  }

  async *#items(
    follower: Follower,
    backlog: readonly HistoryEvent[],
    signal: AbortSignal,
  ): AsyncGenerator<FollowItem> {
    try {
      for (const event of backlog) yield { kind: "event", event };
      while (!signal.aborted) {
        const { lost, lastLost } = follower;
        follower.lost = 0;
        if (lost > 0) yield { kind: "lost", count: lost, last: lastLost };
        const event = follower.queue.shift();
        if (event !== undefined) {
          yield { kind: "event", event };
          continue;
        }
        const { promise, resolve } = Promise.withResolvers<void>();
        follower.wake = resolve;
        await promise;
        follower.wake = () => {};
      }
    } finally {
      this.#followers.delete(follower);
    }
  }
}

function passes(event: HistoryEvent, { type, node }: FollowOptions): boolean {
  return (type === undefined || event.type === type) && (node === undefined || event.node === node);
}
