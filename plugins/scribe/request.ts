import { z } from "zod";
import { ScribeError } from "./errors.ts";

/**
 * What a caller sent, as the schema has it; nothing sent counts as `{}`.
 * @throws {ScribeError} SCRIBE_REQUEST_INVALID
 */
export function parseRequest<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value ?? {});
  if (!result.success) {
    throw new ScribeError(
      "SCRIBE_REQUEST_INVALID",
      `the request is not valid: ${z.prettifyError(result.error)}`,
    );
  }
  return result.data;
}
