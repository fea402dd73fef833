import { errorText, PulseError } from "../errors/mod.ts";

/** An error as the API answers it (RFC 9457). `code` is what programs look at, `detail` is for people. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields?: PulseError["fields"];
}

const titles: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Unauthorised",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Timed out",
  409: "Conflict",
  412: "Precondition failed",
  413: "Too large",
  415: "Unsupported media type",
  421: "Misdirected",
  428: "Precondition required",
  429: "Too many requests",
  431: "Headers too large",
  500: "Internal error",
  503: "Unavailable",
  504: "Timed out",
};

/** Endings of our codes and the statuses they mean; whatever else an operation refused is the request's fault. */
const statusByCode: readonly (readonly [RegExp, number])[] = [
  [/_(UNKNOWN|NOT_FOUND)$/, 404],
  [/_(DENIED|FORBIDDEN)$/, 403],
  [/_(NOT_JOINED|NOT_SCRIBE|EXISTS|TAKEN|BROKEN|AMBIGUOUS|CONFLICT)$/, 409],
  [/_(TOO_LARGE)$/, 413],
  [/_(MEDIA_TYPE)$/, 415],
  [/_(TIMEOUT)$/, 504],
  [/_(UNAVAILABLE|STOPPING)$/, 503],
];

/** What anything thrown looks like to a caller. What was not thrown on purpose is told apart, and its text kept. */
export function toProblem(error: unknown): Problem {
  if (!(error instanceof PulseError)) {
    return makeProblem(500, "UNEXPECTED", errorText(error));
  }
  const status = statusByCode.find(([pattern]) => pattern.test(error.code))?.[1] ?? 400;
  const problem = makeProblem(status, error.code, error.message);
  return Object.keys(error.fields).length === 0 ? problem : { ...problem, fields: error.fields };
}

export function makeProblem(status: number, code: string, detail: string): Problem {
  return { title: titles[status] ?? "Error", status, code, detail };
}

export function problemResponse(
  problem: Problem,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}
