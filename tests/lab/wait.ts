import { setTimeout as sleep } from "node:timers/promises";

/** How long to wait, and for what. */
export interface EventuallyOptions {
  /** What is waited for, for the failure message: "b sees a". */
  readonly what: string;
  /** @default {30000} */
  readonly timeoutMs?: number;
  /** @default {50} */
  readonly intervalMs?: number;
  /** Ends the wait early: rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** What is left of a type once its falsy values are gone. */
export type Truthy<T> = Exclude<T, false | 0 | 0n | "" | null | undefined>;

/**
 * Asks again and again until the answer is truthy, and returns it. A check that throws counts as "not yet"; the last error
 * is part of the failure message. A check that hangs ends with the deadline: it gets a signal for that.
 *
 * @throws {Error} the time is over; says what was waited for, for how long, and what the last attempt gave
 */
export async function eventually<T>(
  check: (signal: AbortSignal) => T | Promise<T>,
  { what, timeoutMs = 30_000, intervalMs = 50, signal: outer }: EventuallyOptions,
): Promise<Truthy<T>> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const signal = outer === undefined ? deadline.signal : AbortSignal.any([deadline.signal, outer]);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {
    // Handled where it is raced; without a race under way it is nobody's concern.
  });
  signal.addEventListener("abort", () => ended.reject(signal.reason));
  let last: unknown = "no attempt has ended";
  try {
    while (!signal.aborted) {
      try {
        const answer = await Promise.race([check(signal), ended.promise]);
        if (answer) return answer as Truthy<T>;
        last = answer;
      } catch (error) {
        if (!signal.aborted) last = error;
      }
      if (signal.aborted) break;
      await sleep(intervalMs, undefined, { signal }).catch(() => {
        // Ended by the deadline: the loop sees it.
      });
    }
    outer?.throwIfAborted();
    throw new Error(`${what}: not within ${timeoutMs} ms; last attempt: ${describe(last)}`, {
      cause: last,
    });
  } finally {
    clearTimeout(timer);
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : Deno.inspect(value, { depth: 4 });
}
