import { maxDepth, maxGroup, maxRows } from "./code.ts";
import { blocks } from "./fec_buffer.ts";
import { magic, maxWays, nonceAt, segmentHead, segmentKind } from "../wire/segment.ts";

/**
 * A parity segment covers sealed segments of one key and receiver index, the fragment word, ciphertext and tag of each:
 *
 * ```
 *  0  "pls" 2
 *  4  u32 receiver index      that of the segments it covers
 *  8  u8 way, u56 first       number space and counter of the first segment covered
 * 16  u8 stride               distance of their counters: how many groups are interleaved
 * 17  u8 count                segments covered, 1 to 32
 * 18  u8 row, u8 rows         which of the group's parities it is
 * 20  parity                  over `u16 length, bytes from the fragment word on without the counter`, zeros to the longest
 * ```
 *
 * It is not sealed: what it covers is, and a repaired segment counts only when it opens.
 */
export const parityHead = 20;
/** Bytes of a segment that parity need not cover: magic, receiver and counter are known. */
const known = segmentHead - 4;

/** What parity covers of a segment of so many bytes, the length word included. */
export function coveredLength(segment: number): number {
  return 2 + segment - known;
}

export interface ParityHead {
  readonly receiver: number;
  readonly way: number;
  readonly first: number;
  readonly stride: number;
  readonly count: number;
  readonly row: number;
  readonly rows: number;
}

export function writeParityHead(view: DataView, at: number, head: ParityHead): void {
  view.setUint32(at, magic * 256 + segmentKind.parity);
  view.setUint32(at + 4, head.receiver);
  view.setUint32(at + 8, head.way << 24 | head.first / 2 ** 32);
  view.setUint32(at + 12, head.first >>> 0);
  view.setUint8(at + 16, head.stride);
  view.setUint8(at + 17, head.count);
  view.setUint8(at + 18, head.row);
  view.setUint8(at + 19, head.rows);
}

/** Copies what parity covers of a sealed segment to a place in whole blocks, and gives its length there. */
export function coverSegment(
  from: Uint8Array,
  at: number,
  length: number,
  to: Uint8Array,
  toAt: number,
): number {
  const covered = coveredLength(length);
  to[toAt] = length >>> 8;
  to[toAt + 1] = length & 0xff;
  // The fragment word, then everything behind the counter. Short runs: a loop beats a subarray for each.
  for (let i = 0; i < 4; i++) to[toAt + 2 + i] = from[at + nonceAt + i]!;
  to.set(from.subarray(at + segmentHead, at + length), toAt + 6);
  to.fill(0, toAt + covered, toAt + blocks(covered));
  return covered;
}

/** The head of a parity segment; undefined for one no encoder writes. */
export function readParityHead(view: DataView, at: number, length: number): ParityHead | undefined {
  if (length < parityHead + 2) return undefined;
  const high = view.getUint32(at + 8) & 0xff_ffff;
  const head: ParityHead = {
    receiver: view.getUint32(at + 4),
    way: view.getUint8(at + 8),
    first: high * 2 ** 32 + view.getUint32(at + 12),
    stride: view.getUint8(at + 16),
    count: view.getUint8(at + 17),
    row: view.getUint8(at + 18),
    rows: view.getUint8(at + 19),
  };
  const sound = head.way < maxWays && high <= 0x1f_ffff && head.stride >= 1 &&
    head.stride <= maxDepth && head.count >= 1 && head.count <= maxGroup && head.rows >= 1 &&
    head.rows <= maxRows && head.row < head.rows;
  return sound ? head : undefined;
}
