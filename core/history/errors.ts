import { type ErrorFields, PulseError } from "../errors/mod.ts";

export type HistoryErrorCode =
  | "HISTORY_DENIED"
  | "HISTORY_FOLLOWERS_UNAVAILABLE"
  | "HISTORY_PROTOCOL"
  | "HISTORY_UNAVAILABLE";

/** History cannot be read or was asked for in a way that makes no sense. Writing it never throws. */
export class HistoryError extends PulseError {
  override readonly name = "HistoryError";
  declare readonly code: HistoryErrorCode;
  constructor(code: HistoryErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
