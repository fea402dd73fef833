import { type ErrorFields, PulseError } from "../errors/mod.ts";

export type PolicyErrorCode = "POLICY_PORTS" | "POLICY_PROTOCOLS";

/** Text of a policy that cannot be read; the message names the part. */
export class PolicyError extends PulseError {
  override readonly name = "PolicyError";
  constructor(code: PolicyErrorCode, message: string, fields: ErrorFields = {}) {
    super(code, message, fields);
  }
}
