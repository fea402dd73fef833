import type { Json } from "../plugin/types.ts";
import { ControlError } from "./errors.ts";

/** Largest request body. */
export const maxBodyBytes = 1024 * 1024;

/**
 * The JSON body of a request; null when there is none.
 * @throws {ControlError} BODY_TOO_LARGE before more than the limit is held, BODY_MEDIA_TYPE, BODY_INVALID
 */
export async function readJsonBody(request: Request): Promise<Json> {
  if (request.body === null) return null;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for await (const chunk of request.body) {
    total += chunk.length;
    if (total > maxBodyBytes) {
      throw new ControlError("BODY_TOO_LARGE", `The body is larger than ${maxBodyBytes} bytes`);
    }
    parts.push(chunk);
  }
  if (total === 0) return null;
  requireJson(request.headers.get("content-type"));
  try {
    return JSON.parse(await new Blob(parts).text());
  } catch (cause) {
    throw new ControlError("BODY_INVALID", "The body is not JSON", {}, cause);
  }
}

/**
 * Anything else is what a page of another site may send unasked (a form, text), so it is not even parsed.
 * @throws {ControlError} BODY_MEDIA_TYPE
 */
export function requireJson(contentType: string | null): void {
  if (/^application\/json\s*(;|$)/i.test(contentType ?? "")) return;
  throw new ControlError(
    "BODY_MEDIA_TYPE",
    `The body must be application/json, not "${(contentType ?? "").slice(0, 80)}"`,
  );
}
