import { PulseError } from "../../core/errors/mod.ts";

/** What was changed on this machine cannot be remembered, or what is remembered cannot be read. */
export class ExitJournalError extends PulseError {
  override readonly name = "ExitJournalError";
  constructor(message: string, path: string, cause: unknown) {
    super("EXIT_JOURNAL", message, { path }, cause);
  }
}
