import type { Json } from "../plugin/types.ts";
import { ControlError } from "./errors.ts";

/** Largest request body. */
export const maxBodyBytes = 1024 * 1024;

/**
 * The JSON body of a request; null when there is none.
 * @throws {ControlError} BODY_TOO_LARGE before more than the limit is held, BODY_INVALID
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
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\b/i.test(type)) {
    throw new ControlError(
      "BODY_INVALID",
      `The body must be application/json, not "${type.slice(0, 80)}"`,
    );
  }
  try {
    return JSON.parse(await new Blob(parts).text());
  } catch (cause) {
    throw new ControlError("BODY_INVALID", "The body is not JSON", {}, cause);
  }
}
