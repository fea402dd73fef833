import { type ErrorFields, PulseError } from "../../core/errors/mod.ts";

/** The CA cannot do what was asked; `code` starts with `CA_` or `TOKEN_`. */
export class CaError extends PulseError {
  override readonly name = "CaError";
  constructor(code: string, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}

/** A node does not get a certificate; the message is the reason it is given. */
export class JoinRefusal extends CaError {
  constructor(reason: string, fields: ErrorFields = {}) {
    super("CA_REFUSED", reason, fields);
  }
}
