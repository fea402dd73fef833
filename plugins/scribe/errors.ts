import { type ErrorFields, PulseError } from "../../core/errors/mod.ts";

/** The scribe does not do what was asked; the network config stays as it was. */
export class ScribeError extends PulseError {
  override readonly name = "ScribeError";
  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
