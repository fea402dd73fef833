import { type ErrorFields, PulseError } from "../errors/mod.ts";

export type GossipErrorCode =
  | "GOSSIP_MESSAGE_MALFORMED"
  | "GOSSIP_RECORD_MALFORMED"
  | "GOSSIP_REPORT_INVALID"
  | "GOSSIP_SEQUENCE_EXHAUSTED"
  | "GOSSIP_CERTIFICATE_MISMATCH";

/** Gossip that cannot be sent or must not be believed. */
export class GossipError extends PulseError {
  override readonly name = "GossipError";
  constructor(code: GossipErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
