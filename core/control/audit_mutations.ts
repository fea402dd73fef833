import type { HistoryControl } from "../history/types.ts";
import type { Json } from "../plugin/types.ts";
import { whoAsks } from "./who_asks.ts";

/** Bytes of a body that are kept for the log. */
const maxLoggedBody = 64 * 1024;

/** Methods that change nothing. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Answers a request, and puts one that may change something into the audit log before anybody sees the answer: who, from where, what,
 * with what outcome; refused ones too, but for those without any key.
 * @param by `local` for the unix socket, else `key:<id>@<address>`
 */
export async function auditMutations(
  request: Request,
  by: string,
  history: Pick<HistoryControl, "recordAudit">,
  answer: (request: Request) => Response | Promise<Response>,
): Promise<Response> {
  if (safeMethods.has(request.method)) return await answer(request);
  const body = new BodyRecorder();
  const response = await answer(body.record(request));
  // Nobody has proven to be anybody: such requests cost a stranger nothing, and must not push out what matters.
  if (response.status === 401) return response;
  const { pathname, search } = new URL(request.url);
  await history.recordAudit("api", {
    ...whoAsks(by),
    method: request.method,
    path: pathname,
    ...(search !== "" && { query: Object.fromEntries(new URLSearchParams(search)) }),
    body: await body.json(),
    status: response.status,
  });
  return response;
}

/** Keeps what is read of a body. */
class BodyRecorder {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #complete = false;

  /** The same request; not a clone, which would read the body for a handler that does not want it. */
  record(request: Request): Request {
    const { body, method, headers, url } = request;
    if (body === null) {
      this.#complete = true;
      return request;
    }
    const recorder = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        this.#bytes += chunk.length;
        if (this.#bytes <= maxLoggedBody) this.#parts.push(chunk.slice());
        controller.enqueue(chunk);
      },
      flush: () => void (this.#complete = true),
    });
    return new Request(url, { method, headers, body: body.pipeThrough(recorder) });
  }

  /** As the log has it; secrets go when it is written down. */
  async json(): Promise<Json> {
    if (this.#bytes > maxLoggedBody) return "[too large]";
    if (!this.#complete) return "[not read]";
    if (this.#bytes === 0) return null;
    try {
      return JSON.parse(await new Blob(this.#parts).text());
    } catch {
      // Whoever asked hears from the route what is wrong with it.
      return "[not JSON]";
    }
  }
}
