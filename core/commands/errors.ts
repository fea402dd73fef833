import { type ErrorFields, PulseError } from "../errors/mod.ts";

export type CommandErrorCode =
  /** The bytes are no command, or no answer to one. */
  | "REMOTE_COMMAND_INVALID"
  /** Its sender is not the scribe, or it is for another node or network. */
  | "REMOTE_COMMAND_DENIED"
  /** It is too old, from the future, or was here before. */
  | "REMOTE_COMMAND_REPLAYED"
  /** More commands than a node remembers. */
  | "REMOTE_COMMAND_LIMIT"
  /** The node has no such setting, or not this value. */
  | "REMOTE_SETTING_INVALID"
  /** The node did not answer in time. */
  | "REMOTE_TIMEOUT";

/** A command from afar that is not obeyed. */
export class CommandError extends PulseError {
  override readonly name = "CommandError";
  constructor(code: CommandErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
