import { FfiError } from "../libc/errors.ts";
import { AttributeMap, joinBytes, padded } from "./attributes.ts";

/** struct nlmsghdr: u32 length with itself, u16 type, u16 flags, u32 sequence, u32 port. */
const HEADER = 16;

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
/** Types of the protocols begin here. */
export const NLMSG_MIN_TYPE = 0x10;

/** What is asked of a request: bits of `nlmsg_flags`. */
export const Flag = {
  request: 0x001,
  ack: 0x004,
  /** Of an answer: the table changed while it was read out. */
  interrupted: 0x010,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

/** Of an answer with an error: the request that is repeated in it is cut off; attributes follow it. */
const CAPPED = 0x100;
const ACK_ATTRIBUTES = 0x200;
const NLMSGERR_ATTR_MSG = 1;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** The kernel's verdict about a request. */
export interface Verdict {
  /** 0: done. */
  readonly errno: number;
  /** The kernel's own words; empty when it has none. */
  readonly text: string;
}

export function encodeMessage(
  { type, flags, sequence }: Omit<NetlinkMessage, "body">,
  body: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const content = joinBytes(body);
  const out = new Uint8Array(padded(HEADER + content.length));
  const view = new DataView(out.buffer);
  view.setUint32(0, HEADER + content.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  out.set(content, HEADER);
  return out;
}

/** The messages of one datagram. @throws {FfiError} FFI_MESSAGE one says a length that cannot be */
export function readMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.length) {
      throw new FfiError("FFI_MESSAGE", `a netlink message says it has ${length} bytes`);
    }
    found.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.subarray(at + HEADER, at + length),
    });
    at += padded(length);
  }
  return found;
}

/** Reads an NLMSG_ERROR, or what an NLMSG_DONE carries. @throws {FfiError} FFI_MESSAGE */
export function readVerdict({ type, flags, body }: NetlinkMessage): Verdict {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 4) {
    if (type === NLMSG_DONE) return { errno: 0, text: "" };
    throw new FfiError("FFI_MESSAGE", `a netlink verdict has ${body.length} bytes`);
  }
  const errno = Math.abs(view.getInt32(0, true));
  if ((flags & ACK_ATTRIBUTES) === 0) return { errno, text: "" };
  let attributesAt = 4;
  if (type === NLMSG_ERROR) {
    if (body.length < 4 + HEADER) {
      throw new FfiError("FFI_MESSAGE", `a netlink verdict has ${body.length} bytes`);
    }
    attributesAt += (flags & CAPPED) === 0 ? padded(view.getUint32(4, true)) : HEADER;
  }
  const attributes = new AttributeMap(body.subarray(attributesAt));
  return { errno, text: attributes.text(NLMSGERR_ATTR_MSG) ?? "" };
}
