import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** A stream ended abruptly. `code` SESSION_STREAM_RESET; `resetCode` is the peer's number, 0 when it gave none. */
export class StreamResetError extends PulseError {
  override readonly name = "StreamResetError";
  readonly resetCode: number;
  constructor(message: string, resetCode = 0, cause?: unknown) {
    super("SESSION_STREAM_RESET", message, { resetCode }, cause);
    this.resetCode = resetCode;
  }
}

/** The session is over; whatever was asked of it cannot be had. `code` SESSION_CLOSED. */
export class SessionClosedError extends PulseError {
  override readonly name = "SessionClosedError";
  constructor(message: string, fields: ErrorFields = {}, cause?: unknown) {
    super("SESSION_CLOSED", message, fields, cause);
  }
}

/** The peer takes no more streams, and did not until the caller gave up. `code` SESSION_STREAM_LIMIT. */
export class StreamLimitError extends PulseError {
  override readonly name = "StreamLimitError";
  constructor(message: string, fields: ErrorFields = {}) {
    super("SESSION_STREAM_LIMIT", message, fields);
  }
}

/** The dial failed; `cause` holds the transport's own error. */
export class DialError extends PulseError {
  override readonly name = "DialError";
  constructor(message: string, fields: ErrorFields = {}, cause?: unknown) {
    super("SESSION_DIAL", message, fields, cause);
  }
}

/** What it may mean that the other end's certificate is not of a CA that counts here; such a `DialError` has the field `foreign`. */
export const foreignHint =
  " (another node, or another network, lives there, or the CA was rolled while this node was away)";

/** A link handshake was refused, here or there. `closeCode` is one of `SessionCloseCode`. */
export class LinkRefusedError extends PulseError {
  override readonly name = "LinkRefusedError";
  readonly closeCode: number;
  constructor(message: string, closeCode: number, fields: ErrorFields = {}, cause?: unknown) {
    super("SESSION_LINK_REFUSED", message, { closeCode, ...fields }, cause);
    this.closeCode = closeCode;
  }
}

/** The peer broke a rule of the protocol; the session ends, nothing else does. */
export class ProtocolError extends PulseError {
  override readonly name = "ProtocolError";
  constructor(message: string, fields: ErrorFields = {}, cause?: unknown) {
    super("SESSION_PROTOCOL", message, fields, cause);
  }
}
