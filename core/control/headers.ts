import { ControlError } from "./errors.ts";

/**
 * The version a writer has seen, from `If-Match`; undefined when it does not say.
 * @throws {ControlError} HEADER_INVALID it is not exactly one strong tag: `*`, a list or a weak tag would let a lost update through
 */
export function ifMatchOf(headers: Headers): string | undefined {
  const text = headers.get("if-match");
  if (text === null) return undefined;
  const tag = /^\s*"([!#-~]{1,128})"\s*$/.exec(text)?.[1];
  if (tag !== undefined) return tag;
  throw new ControlError(
    "HEADER_INVALID",
    'If-Match must be the one version you have seen, in quotes as its ETag was: If-Match: "17"',
  );
}

/** Whether what the caller has is still what it would get (RFC 9110, section 13.1.2: weak comparison). */
export function isNotModified(headers: Headers, etag: string): boolean {
  const text = headers.get("if-none-match");
  if (text === null) return false;
  if (text.trim() === "*") return true;
  return text.split(",").some((part) => part.trim().replace(/^W\//, "") === `"${etag}"`);
}
