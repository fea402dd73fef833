import { type ErrorFields, PulseError } from "../errors/mod.ts";

export type JoinErrorCode =
  /** The CA said no, and proved that it is the CA that knows the token. */
  | "JOIN_REFUSED"
  /** Somebody said no who did not prove to be the CA. */
  | "JOIN_REFUSED_UNPROVEN"
  | "JOIN_TOKEN_INVALID"
  | "JOIN_CA_MISMATCH"
  | "JOIN_PROTOCOL"
  | "JOIN_TAMPERED"
  | "JOIN_CLOSED"
  | "JOIN_TIMEOUT";

/** A join or renewal that did not succeed. Nothing was stored; it can be tried again once the reason is mended. */
export class JoinError extends PulseError {
  override readonly name = "JoinError";
  declare readonly code: JoinErrorCode;
  constructor(code: JoinErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
