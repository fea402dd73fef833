import type { ZodSafeParseResult } from "zod";
import { errorText } from "../errors/mod.ts";
import type { Json } from "../plugin/types.ts";
import { ControlError, NotRunningError } from "./errors.ts";
import { EventParser, type ReceivedEvent } from "./event_parser.ts";
import type { HealthReport, PermissionProbe, StatusReport } from "./types.ts";

export type ControlMethod = "GET" | "POST" | "PUT" | "DELETE";

/** Largest answer a client takes. */
const maxAnswerBytes = 64 * 1024 * 1024;
const defaultTimeoutMs = 35_000;

/**
 * Asks a daemon on its control socket. One HTTP client for its life: dispose it.
 *
 * Needs the Deno permissions `--allow-read` and `--allow-write` for the socket, and `--allow-net=unix:<path>,localhost:80`.
 */
export class ControlClient implements Disposable {
  readonly #path: string;
  readonly #client: Deno.HttpClient;

  /** @param socketPath `<data-dir>/pulse.sock` */
  constructor(socketPath: string) {
    this.#path = socketPath;
    this.#client = Deno.createHttpClient({ proxy: { transport: "unix", path: socketPath } });
  }

  /** Whether a daemon answers, and which process it is. @throws {NotRunningError} */
  async ping(options: { signal?: AbortSignal } = {}): Promise<{ pid: number; version: string }> {
    const { pingSchema } = await import("./schema.ts");
    return pingSchema.parse(await this.request("GET", "/api/ping", undefined, options));
  }

  /** @throws {NotRunningError} @throws {ControlError} */
  async status(options: { signal?: AbortSignal } = {}): Promise<StatusReport> {
    const { statusSchema } = await import("./schema.ts");
    return understood(
      "status",
      statusSchema.safeParse(await this.request("GET", "/api/status", undefined, options)),
    );
  }

  /** @throws {NotRunningError | ControlError} */
  async health(): Promise<HealthReport> {
    const { healthSchema } = await import("./schema.ts");
    // 503 says that something fails, and the body what.
    const answer = await this.request("GET", "/api/health", undefined, { alsoAnswers: [503] });
    return understood("health", healthSchema.safeParse(answer));
  }

  /** What the daemon's own process may do. */
  async permissions(): Promise<readonly PermissionProbe[]> {
    const { permissionsSchema } = await import("./schema.ts");
    return permissionsSchema.parse(await this.request("GET", "/api/permissions")).probes;
  }

  /** Begins an orderly stop. @returns the process that is stopping */
  async stop(): Promise<number> {
    const { stopSchema } = await import("./schema.ts");
    return stopSchema.parse(await this.request("POST", "/api/stop")).pid;
  }

  /**
   * One request; the answer's JSON, or null when it has none.
   * @param options.alsoAnswers statuses of errors whose body is an answer all the same
   * @throws {NotRunningError} nobody answers
   * @throws {ControlError} the daemon's problem, with its code and text; CONTROL_TIMEOUT
   */
  async request(
    method: ControlMethod,
    path: string,
    body?: Json,
    options: { readonly signal?: AbortSignal; readonly alsoAnswers?: readonly number[] } = {},
  ): Promise<Json> {
    const deadline = AbortSignal.timeout(defaultTimeoutMs);
    const signal = options.signal === undefined
      ? deadline
      : AbortSignal.any([options.signal, deadline]);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`http://localhost${path}`, {
        method,
        client: this.#client,
        signal,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      text = await readText(response);
    } catch (cause) {
      throw this.#explain(cause, deadline, options.signal);
    }
    const answer = parseAnswer(text, path, response);
    const answers = options.alsoAnswers?.includes(response.status) ?? false;
    if (!response.ok && !answers) throw toError(answer, response.status);
    return answer;
  }

  /**
   * The events of a stream until it ends, which the node does when it stops.
   * @param options.after the number of the last event that is known already
   * @throws as `request()`
   */
  async *follow(
    path: string,
    options: { readonly signal: AbortSignal; readonly after?: number | undefined },
  ): AsyncGenerator<ReceivedEvent> {
    const { signal, after } = options;
    const parser = new EventParser();
    try {
      const response = await fetch(`http://localhost${path}`, {
        client: this.#client,
        signal,
        ...(after !== undefined && { headers: { "last-event-id": String(after) } }),
      });
      if (!response.ok) {
        throw toError(parseAnswer(await readText(response), path, response), response.status);
      }
      const decoder = new TextDecoderStream();
      for await (const text of response.body?.pipeThrough(decoder) ?? []) {
        yield* parser.push(text);
      }
    } catch (cause) {
      if (signal.aborted) return;
      throw this.#explain(cause, signal, undefined);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #explain(cause: unknown, deadline: AbortSignal, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted || cause instanceof ControlError) return cause;
    if (deadline.aborted) {
      return new ControlError(
        "CONTROL_TIMEOUT",
        `The daemon at ${this.#path} did not answer within ${
          defaultTimeoutMs / 1000
        } s; look at "pulse logs"`,
        { path: this.#path },
        cause,
      );
    }
    const text = `${errorText(cause)} ${cause instanceof Error ? errorText(cause.cause) : ""}`;
    if (/permission denied|\(os error 13\)/i.test(text)) {
      return new ControlError(
        "CONTROL_DENIED",
        `The daemon at ${this.#path} belongs to another user; run this as that user`,
        { path: this.#path },
        cause,
      );
    }
    if (/\(Connect\)|\(os error (2|111)\)/.test(text)) {
      return new NotRunningError(this.#path, cause);
    }
    return new ControlError(
      "CONTROL_FAILED",
      `Talking to the daemon at ${this.#path} failed: ${errorText(cause)}`,
      { path: this.#path },
      cause,
    );
  }
}

function understood<T>(what: string, parsed: ZodSafeParseResult<T>): T {
  if (parsed.success) return parsed.data;
  throw new ControlError(
    "CONTROL_PROTOCOL",
    `The daemon's ${what} is not what this version of pulse understands; restart the daemon with this version`,
    {},
    parsed.error,
  );
}

/** Metrics are text, everything else JSON. */
function parseAnswer(text: string, path: string, response: Response): Json {
  if (text === "") return null;
  if (!/\bjson\b/.test(response.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ControlError("CONTROL_PROTOCOL", `The answer to ${path} is not JSON`, {}, cause);
  }
}

function toError(answer: Json, status: number): ControlError {
  const problem = new Map(
    typeof answer === "object" && answer !== null ? Object.entries(answer) : [],
  );
  const code = problem.get("code");
  const detail = problem.get("detail");
  return new ControlError(
    typeof code === "string" ? code : "CONTROL_FAILED",
    typeof detail === "string" ? detail : `The daemon answered with status ${status}`,
    { status },
  );
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.length;
    if (total > maxAnswerBytes) {
      throw new ControlError(
        "CONTROL_PROTOCOL",
        `The answer is larger than ${maxAnswerBytes} bytes`,
      );
    }
    parts.push(chunk);
  }
  return await new Blob(parts).text();
}
