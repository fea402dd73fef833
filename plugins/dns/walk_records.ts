import { headerLength, rrType } from "./constants.ts";
import { skipName } from "./dns_name.ts";

/** Where one record lies in a message. */
export interface RecordSpan {
  readonly section: "answer" | "authority" | "additional";
  readonly start: number;
  /** Offset of its type; class, TTL and length follow. */
  readonly fixed: number;
  readonly type: number;
  readonly ttl: number;
  readonly data: number;
  readonly end: number;
}

/** Beyond it a message is not worth reading. */
const maxRecords = 512;

/**
 * The records of a message behind its question section. Nothing is decoded, no pointer followed.
 * @param from offset behind the question section
 * @returns null when the counts of the header and the bytes do not fit together
 */
export function walkRecords(message: Uint8Array, from: number): RecordSpan[] | null {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message.length < headerLength) return null;
  const counts = [
    ["answer", view.getUint16(6)],
    ["authority", view.getUint16(8)],
    ["additional", view.getUint16(10)],
  ] as const;
  const spans: RecordSpan[] = [];
  let at = from;
  for (const [section, count] of counts) {
    if (spans.length + count > maxRecords) return null;
    for (let n = 0; n < count; n++) {
      const fixed = skipName(message, at);
      if (fixed === null || fixed + 10 > message.length) return null;
      const data = fixed + 10;
      const end = data + view.getUint16(fixed + 8);
      if (end > message.length) return null;
      const type = view.getUint16(fixed);
      const ttl = type === rrType.OPT ? 0 : view.getUint32(fixed + 4);
      spans.push({ section, start: at, fixed, type, ttl, data, end });
      at = end;
    }
  }
  return at === message.length ? spans : null;
}
