import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** What a database holds is not what was written. */
export class StorageError extends PulseError {
  override readonly name = "StorageError";
  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
