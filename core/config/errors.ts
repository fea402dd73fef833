import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** A setting that cannot be used. `fields.setting` is the key, `fields.origin` where it was written. */
export class ConfigError extends PulseError {
  override readonly name = "ConfigError";
  constructor(message: string, fields: ErrorFields = {}, cause?: unknown) {
    super("CONFIG_INVALID", message, fields, cause);
  }
}
