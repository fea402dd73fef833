import { type ErrorFields, PulseError } from "../../core/errors/mod.ts";

export type DnsSetupCode =
  | "DNS_SETUP_DONE_ALREADY"
  | "DNS_SETUP_NOT_DONE"
  | "DNS_SETUP_NO_RESOLVER"
  | "DNS_SETUP_PORT"
  | "DNS_SETUP_JOURNAL"
  | "DNS_SETUP_FILE"
  | "DNS_SETUP_RELOAD";

/** This machine's resolver could not be pointed to pulse, or not be put back. */
export class DnsSetupError extends PulseError {
  override readonly name = "DnsSetupError";
  declare readonly code: DnsSetupCode;
  constructor(code: DnsSetupCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
