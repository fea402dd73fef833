import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** Why the word on a CA roll is not taken. Stable; programs may test for them. */
export type TrustErrorCode =
  /** The bytes are not what they should be. */
  | "TRUST_MALFORMED"
  | "TRUST_NETWORK"
  /** One of the two CAs has not signed it. */
  | "TRUST_SIGNATURE"
  /** It does not begin with the CA this node believes. */
  | "TRUST_FOREIGN"
  /** A newer one is known. */
  | "TRUST_OLD"
  /** Another one with the same serial is known. */
  | "TRUST_FORKED";

/** The word on a CA roll that cannot be used. */
export class TrustError extends PulseError {
  override readonly name = "TrustError";
  override readonly code: TrustErrorCode;
  constructor(code: TrustErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
    this.code = code;
  }
}
