import { ProtocolError } from "../sessions/errors.ts";
import type { BufferedStream } from "./buffered_stream.ts";

/**
 * One `u16 length, body` frame; the length is checked before anything is allocated.
 * @throws {ProtocolError}
 */
export async function readFrame16(stream: BufferedStream, limit: number): Promise<Uint8Array> {
  const head = await stream.readExact(2);
  const length = new DataView(head.buffer).getUint16(0);
  if (length > limit) {
    throw new ProtocolError(`A frame of ${length} bytes exceeds the limit of ${limit}`);
  }
  return await stream.readExact(length);
}

/**
 * One `u32 length, body` frame.
 * @throws {ProtocolError}
 */
export async function readFrame32(stream: BufferedStream, limit: number): Promise<Uint8Array> {
  const head = await stream.readExact(4);
  const length = new DataView(head.buffer).getUint32(0);
  if (length > limit) {
    throw new ProtocolError(`A frame of ${length} bytes exceeds the limit of ${limit}`);
  }
  return await stream.readExact(length);
}

/** `u32 length, body` in one buffer. */
export function frame32(body: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + body.length);
  new DataView(out.buffer).setUint32(0, body.length);
  out.set(body, 4);
  return out;
}
