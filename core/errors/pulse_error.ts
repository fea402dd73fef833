/** Values an error may carry for logs and the API: plain data, never secrets. */
export type ErrorFields = Readonly<
  Record<string, string | number | boolean | null | undefined | readonly string[]>
>;

/**
 * Base of every error pulse throws on purpose.
 *
 * `code` is stable and meant for programs (`IDENTITY_KEY_MODE`), `message` is meant for people: what happened, to what,
 * and what to do. `fields` travel into structured logs and problem responses unchanged.
 */
export class PulseError extends Error {
  override readonly name: string = "PulseError";
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
  }
}

/** The text of anything that was thrown, for logs and for messages that wrap it. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of anything that was thrown; `fallback` when it is not one of ours. */
export function errorCode(error: unknown, fallback = "UNEXPECTED"): string {
  return error instanceof PulseError ? error.code : fallback;
}
