import { readTimeToLive } from "../../core/clock/duration.ts";
import { ScribeError } from "./errors.ts";

/** Milliseconds of a time to live in a request. @throws {ScribeError} SCRIBE_REQUEST_INVALID */
export function parseDuration(value: string | number): number {
  const read = readTimeToLive(value);
  if (typeof read === "number") return read;
  throw new ScribeError("SCRIBE_REQUEST_INVALID", read.problem);
}
