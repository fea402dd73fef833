/**
 * The head of everything on the data port, 20 bytes, then ciphertext, then a tag of 16 bytes:
 *
 * ```
 *  0  "pls" and the kind      what steers the packet away from QUIC on the same port
 *  4  u32 receiver index      the receiver's name for a key, or a relay's name for a path
 *  8  u32 fragment word       bit 31: last segment, 30: sent without a relay, 29: control,
 *                             24..28: way, 16..23: bytes of trailer, 0..15: index of the segment
 * 12  u64 counter             of segments in this space; the nonce is the twelve bytes from 8 on
 * ```
 *
 * Big-endian throughout. The receiver index is not authenticated and need not be: a wrong one selects a wrong key. Everything
 * from the fragment word on is, because it is the nonce. Each way counts for itself, so that a slow one is not beyond the replay
 * window of a fast one, and its control segments apart from its packets, so that a probe that was too large is no gap: these are
 * the 64 number spaces of a key. Space and counter together never occur twice under it.
 */
export const segmentHead = 20;
export const segmentTag = 16;
/** What sealing adds to a payload. */
export const segmentOverhead = segmentHead + segmentTag;
/** Where the nonce of a segment begins; it has 12 bytes. */
export const nonceAt = 8;

/** The fourth byte. */
export const segmentKind = { data: 1, parity: 2 } as const;
export type SegmentKind = (typeof segmentKind)[keyof typeof segmentKind];

/** The first three bytes. QUIC packets can begin with any one byte (RFC 9287), hardly ever with these. */
export const magic = 0x706c73;
const magicBits = magic * 256;

/** Most segments one packet from the interface becomes, and most bytes of header repeated behind the last. */
export const maxSegments = 0xffff;
export const maxTrailer = 0xff;
/** Ways from one node to another at most. */
export const maxWays = 32;
/** Counters of a key: two for each way. */
export const numberSpaces = 2 * maxWays;

/** Bits of the fragment word. */
export const fragmentBit = {
  last: 0x8000_0000,
  direct: 0x4000_0000,
  control: 0x2000_0000,
} as const;

export interface Fragment {
  /** Place of the segment in its packet, from 0. */
  readonly index: number;
  readonly last: boolean;
  /** Bytes at the end that repeat the packet's header. */
  readonly trailer: number;
  /** The sender's number for the path, below 32. */
  readonly way: number;
  /** The sender sent it to the receiver's own address: what it comes from is the sender's. */
  readonly direct: boolean;
  /** Not of a packet: what two loops say to each other. */
  readonly control: boolean;
}

/** The fragment word. */
export function fragmentWord(
  { index, last, trailer, way, direct, control }: Fragment,
): number {
  const bits = (last ? fragmentBit.last : 0) | (direct ? fragmentBit.direct : 0) |
    (control ? fragmentBit.control : 0);
  return (bits | way << 24 | trailer << 16 | index) >>> 0;
}

/** The inverse of `fragmentWord()`. */
export function parseFragment(word: number): Fragment {
  return {
    index: word & 0xffff,
    last: (word & fragmentBit.last) !== 0,
    trailer: word >>> 16 & 0xff,
    way: word >>> 24 & 31,
    direct: (word & fragmentBit.direct) !== 0,
    control: (word & fragmentBit.control) !== 0,
  };
}

/** Which counter a segment is counted by: its way, and the control bit above that. */
export function numberSpace(word: number): number {
  return word >>> 24 & 63;
}

/** Writes a head. The counter is an integer below 2^53. */
export function writeHead(
  view: DataView,
  at: number,
  kind: SegmentKind,
  receiver: number,
  fragment: number,
  counter: number,
): void {
  view.setUint32(at, magicBits + kind);
  view.setUint32(at + 4, receiver);
  view.setUint32(at + 8, fragment);
  view.setUint32(at + 12, counter / 2 ** 32);
  view.setUint32(at + 16, counter >>> 0);
}

/** The kind, or 0 for what is none of ours: too short, another magic, a kind of a newer version. */
export function kindOf(view: DataView, at: number, length: number): SegmentKind | 0 {
  if (length < segmentOverhead) return 0;
  const kind = view.getUint32(at) - magicBits;
  return kind >= segmentKind.data && kind <= segmentKind.parity ? kind as SegmentKind : 0;
}

export function receiverOf(view: DataView, at: number): number {
  return view.getUint32(at + 4);
}

export function fragmentOf(view: DataView, at: number): number {
  return view.getUint32(at + 8);
}

/** The counter; NaN for one no sender may use. */
export function counterOf(view: DataView, at: number): number {
  const high = view.getUint32(at + 12);
  return high > 0x1f_ffff ? NaN : high * 2 ** 32 + view.getUint32(at + 16);
}
