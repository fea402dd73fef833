import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** Codes a hop or the destination may answer a stream request with. The number is the wire value; never renumber. */
export const streamStatus = {
  STREAM_OK: 0,
  STREAM_REFUSED: 1,
  STREAM_HOST_UNREACHABLE: 2,
  STREAM_NET_UNREACHABLE: 3,
  STREAM_DENIED: 4,
  STREAM_TIMEOUT: 5,
  STREAM_NO_PROTOCOL: 6,
  STREAM_NO_LINK: 7,
  STREAM_BAD_REQUEST: 8,
  STREAM_OVER_LIMIT: 9,
  STREAM_UNAUTHENTICATED: 10,
  STREAM_TARGET_INVALID: 11,
  STREAM_FAILED: 12,
} as const;

export type StreamStatusCode = keyof typeof streamStatus;

const codeByNumber = new Map<number, StreamStatusCode>(
  (Object.entries(streamStatus) as [StreamStatusCode, number][]).map(([code, number]) => [
    number,
    code,
  ]),
);

/** The code behind a wire value; an unknown one (a newer peer) reads as STREAM_FAILED. */
export function streamStatusCode(number: number): StreamStatusCode {
  return codeByNumber.get(number) ?? "STREAM_FAILED";
}

/** A stream could not be had, or a hop answered why not. `fields.hop` is the node that said so, where one did. */
export class StreamError extends PulseError {
  override readonly name = "StreamError";
  readonly status: StreamStatusCode;
  constructor(
    status: StreamStatusCode,
    message: string,
    fields: ErrorFields = {},
    cause?: unknown,
  ) {
    super(status, message, fields, cause);
    this.status = status;
  }
}
