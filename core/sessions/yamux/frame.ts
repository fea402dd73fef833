/** Wire format of hashicorp/yamux: 12 bytes of header, big endian, then `length` bytes for data frames only. @module */

export const HEADER_BYTES = 12;
export const PROTOCOL_VERSION = 0;

export const FrameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export type FrameType = typeof FrameType[keyof typeof FrameType];

export const FrameFlag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;

/** What a GoAway frame says. Other numbers are an error to hashicorp/yamux, so nothing else is ever sent. */
export const GoAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;
export type GoAwayCode = typeof GoAwayCode[keyof typeof GoAwayCode];

/** Every stream starts with this much credit each way; the protocol has no way to start with less. */
export const INITIAL_WINDOW = 256 * 1024;

/** Largest data frame sent: what a small stream waits for at most per bulk stream. Larger ones are accepted. */
export const MAX_DATA_FRAME = 64 * 1024;

/** Writes a header at `at`; the caller has made room. Numbers are unsigned 32 bit. */
export function writeHeader(
  out: Uint8Array,
  at: number,
  type: FrameType,
  flags: number,
  streamId: number,
  length: number,
): void {
  out[at] = PROTOCOL_VERSION;
  out[at + 1] = type;
  out[at + 2] = flags >>> 8;
  out[at + 3] = flags;
  out[at + 4] = streamId >>> 24;
  out[at + 5] = streamId >>> 16;
  out[at + 6] = streamId >>> 8;
  out[at + 7] = streamId;
  out[at + 8] = length >>> 24;
  out[at + 9] = length >>> 16;
  out[at + 10] = length >>> 8;
  out[at + 11] = length;
}
