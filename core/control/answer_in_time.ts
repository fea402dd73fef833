import { makeProblem, problemResponse } from "./problem.ts";

/** How long an answer may take. */
export interface AnswerLimits {
  /** Milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** The node stops. */
  readonly signal: AbortSignal;
}

/** When the node stops, what is being answered (the stop itself, for one) has so long to get done. */
const stopGraceMs = 500;

/** The handler goes on when time is up, but its caller is told and its answer is dropped. */
export async function answerInTime(
  answer: () => Promise<Response>,
  options: AnswerLimits,
): Promise<Response> {
  const { promise: late, resolve } = Promise.withResolvers<Response>();
  const giveUp = (status: number, code: string, detail: string) =>
    resolve(problemResponse(makeProblem(status, code, detail)));
  const limit = options.requestTimeoutMs ?? 30_000;
  const timers = [
    setTimeout(() => giveUp(504, "REQUEST_TIMEOUT", `No answer within ${limit} ms`), limit),
  ];
  const stopping = () => {
    timers.push(
      setTimeout(() => giveUp(503, "NODE_STOPPING", "The node is stopping"), stopGraceMs),
    );
  };
  if (options.signal.aborted) stopping();
  else options.signal.addEventListener("abort", stopping, { once: true });
  try {
    return await Promise.race([answer(), late]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    options.signal.removeEventListener("abort", stopping);
  }
}
