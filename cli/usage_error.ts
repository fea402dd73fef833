import { PulseError } from "../core/errors/mod.ts";

/** The command line was read but what it says cannot be: exit code 2. */
export class UsageError extends PulseError {
  override readonly name = "UsageError";
  constructor(message: string, cause?: unknown) {
    super("USAGE", message, {}, cause);
  }
}
