/** What one WebSocket message is here, and how sessions end on this carrier. @module */

/**
 * First byte of every message. 0 is yamux's protocol version: such a message is one or more whole yamux frames. 1 is a
 * datagram: the rest of the message is its payload. Anything else, and any text, ends the session.
 */
export const MessageKind = { frames: 0, datagram: 1 } as const;

/** Largest message accepted; ours are at most a batch of yamux frames (256 KiB). */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Largest datagram payload: what UDP could carry, so that a packet fits either transport. */
export const MAX_DATAGRAM_BYTES = 65_000;

export const RELAY_PATH = "/relay";
export const JOIN_PATH = "/join";

/** Codes for applications begin at 4000 (RFC 6455, section 7.4.2); a session's code is added. */
const CLOSE_CODE_BASE = 4000;
const MAX_CLOSE_CODE = 999;
/** What a close frame has room for (RFC 6455, section 5.5: 125 bytes with the code). */
const MAX_REASON_BYTES = 123;

/**
 * A mask of zeros. Masking exists so that a page in a browser cannot put chosen bytes before a proxy that mistakes them for
 * HTTP (RFC 6455, section 10.3). Here everything is inside TLS between two authenticated nodes, so it would protect nobody and
 * cost most of the processor time; with zeros `ws` leaves the payload alone on both ends.
 */
export function zeroMask(mask: Uint8Array): void {
  mask.fill(0);
}

export function closeCodeToWire(code: number): number {
  return CLOSE_CODE_BASE + Math.min(MAX_CLOSE_CODE, Math.max(0, Math.trunc(code)));
}

/** The session's code, or undefined when the peer's end was none of ours. */
export function closeCodeFromWire(code: number): number | undefined {
  const own = code - CLOSE_CODE_BASE;
  return own >= 0 && own <= MAX_CLOSE_CODE ? own : undefined;
}

/** Cut to what fits a close frame, at a character's boundary. */
export function closeReasonToWire(reason: string): string {
  const bytes = new Uint8Array(MAX_REASON_BYTES);
  const { read } = new TextEncoder().encodeInto(reason, bytes);
  return reason.slice(0, read);
}
