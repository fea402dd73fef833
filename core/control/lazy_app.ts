import type { ControlApp, ControlAppOptions } from "./app.ts";
import { makeProblem, problemResponse } from "./problem.ts";

/** Requests answered at once by one listener; more are refused with 503. */
export const maxRequests = 64;

/**
 * The control API behind one listener. The HTTP library and its schemas come in with the first request that needs them: a node nobody asks
 * anything does not pay their memory (6 to 7 MB measured).
 */
export function lazyApp(options: Omit<ControlAppOptions, "pid">): ControlApp {
  let app: Promise<ControlApp> | undefined;
  const load = async () => {
    const { createControlApp } = await import("./app.ts");
    return createControlApp({ ...options, pid: Deno.pid });
  };
  let active = 0;
  return async (request, caller) => {
    if (active >= maxRequests) {
      const detail = `The node answers ${maxRequests} requests already`;
      return problemResponse(makeProblem(503, "REQUEST_OVER_LIMIT", detail), {
        "retry-after": "1",
      });
    }
    active++;
    try {
      return await (await (app ??= load()))(request, caller);
    } finally {
      active--;
    }
  };
}
