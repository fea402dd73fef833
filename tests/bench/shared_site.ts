import type { RunningBench } from "./bench.ts";

/**
 * What several benches of a group measure at one and the same site, so that they differ in nothing else. It is made for the first
 * of them and goes with the last.
 */
export function sharedSite<S extends AsyncDisposable>(
  make: () => Promise<S>,
): (round: (site: S) => Promise<number>) => () => Promise<RunningBench> {
  let site: Promise<S> | undefined;
  let users = 0;
  return (round) => async () => {
    users++;
    const shared = await (site ??= make());
    return {
      round: () => round(shared),
      async [Symbol.asyncDispose]() {
        if (--users > 0) return;
        site = undefined;
        await shared[Symbol.asyncDispose]();
      },
    };
  };
}
