import { maxSegments } from "../wire/segment.ts";
import { pseudoHeaderSum, writeIpv4Checksum } from "./checksum.ts";
import {
  gsoEcn,
  gsoType,
  needsChecksum,
  readVirtioHeader,
  virtioHeader,
  writeVirtioHeader,
} from "./virtio_header.ts";

/** Segments one packet has at most: 64 KB in segments of no less than 600 bytes. */
export const maxChunks = 128;
/** Pieces a write to the interface has at most: a header and every chunk. */
export const maxPieces = maxChunks + 1;
/** Room for a virtio header and the largest IP and TCP headers. */
export const headerRoom = virtioHeader + 60 + 60;

const ipTcp = 6;
const ipUdp = 17;

/**
 * The segments of one packet from a far interface, in the memory they were opened in. A whole packet is written as it is. Of one
 * with gaps every stretch without one becomes a packet of its own, as if the sender's card had cut it there; the rest is left
 * to the flow's own repair.
 */
export class ReceivedPacket {
  /** What to write: offsets and lengths in memory, in order. */
  readonly pieceAt = new Int32Array(maxPieces);
  readonly pieceLength = new Int32Array(maxPieces);
  pieces = 0;

  readonly #at = new Int32Array(maxChunks);
  readonly #length = new Int32Array(maxChunks);
  readonly #index = new Int32Array(maxChunks);
  readonly #order: number[] = [];
  #count = 0;
  #inOrder = true;
  #last = -1;
  #highest = -1;
  #trailer = 0;

  get count(): number {
    return this.#count;
  }

  /** Every segment is here: `whole()` applies. */
  get complete(): boolean {
    return this.#last === this.#count - 1 && this.#highest === this.#last;
  }

  /** Highest index that is here; -1 for none. */
  get highest(): number {
    return this.#highest;
  }

  /** The last segment is here. */
  get ends(): boolean {
    return this.#last >= 0;
  }

  clear(): void {
    this.#count = 0;
    this.#inOrder = true;
    this.#last = -1;
    this.#highest = -1;
    this.#trailer = 0;
  }

  /**
   * Takes an opened segment.
   * @param at where its payload lies
   * @returns false when there are more than a packet can have
   */
  add(index: number, last: boolean, trailer: number, at: number, length: number): boolean {
    const n = this.#count;
    if (n === maxChunks || index > maxSegments) return false;
    if (index !== n) this.#inOrder = false;
    if (index > this.#highest) this.#highest = index;
    this.#at[n] = at;
    this.#length[n] = length;
    this.#index[n] = index;
    if (last) {
      this.#last = index;
      this.#trailer = trailer;
    }
    this.#count++;
    return true;
  }

  /** Lists the pieces of a complete packet, without the trailer. @returns its length in bytes */
  whole(): number {
    let cut = this.#trailer;
    let total = 0;
    this.pieces = 0;
    if (!this.#inOrder) this.pieceLength.fill(0, 0, this.#count);
    for (let i = 0; i < this.#count; i++) {
      const place = this.#inOrder ? i : this.#index[i]!;
      this.pieceAt[place] = this.#at[i]!;
      this.pieceLength[place] = this.#length[i]!;
      total += this.#length[i]!;
    }
    let pieces = this.#count;
    total -= cut;
    while (cut > 0 && pieces > 0) {
      const length = this.pieceLength[pieces - 1]!;
      if (length > cut) {
        this.pieceLength[pieces - 1] = length - cut;
        cut = 0;
      } else {
        cut -= length;
        pieces--;
      }
    }
    this.pieces = pieces;
    return Math.max(0, total);
  }

  /**
   * Writes what is there of a packet with gaps.
   * @param chunk bytes of every segment but the last
   * @param headerAt room of `headerRoom` bytes in the same memory, for the headers of each stretch
   * @param saveAt the same again
   * @param write called for each stretch, its pieces listed
   * @returns stretches written; 0 when the headers are lost or it is a packet that cannot be cut
   */
  salvage(
    memory: Uint8Array,
    view: DataView,
    chunk: number,
    headerAt: number,
    saveAt: number,
    write: () => void,
  ): number {
    this.#sort();
    const headers = this.#findHeaders(memory, view, saveAt);
    if (headers === undefined) return 0;
    const order = this.#order;
    let written = 0;
    for (let i = 0; i < order.length;) {
      let j = i;
      while (
        j + 1 < order.length && this.#index[order[j + 1]!] === this.#index[order[j]!]! + 1
      ) j++;
      if (this.#stretch(memory, view, chunk, headers, headerAt, saveAt, i, j)) {
        write();
        written++;
      }
      i = j + 1;
    }
    return written;
  }

  #sort(): void {
    this.#order.length = 0;
    for (let i = 0; i < this.#count; i++) this.#order.push(i);
    this.#order.sort((a, b) => this.#index[a]! - this.#index[b]!);
  }

  /** Copies the headers from the first segment, or from the trailer of the last one, and reads what they say. */
  #findHeaders(memory: Uint8Array, view: DataView, saveAt: number): Headers | undefined {
    const first = this.#order[0];
    const last = this.#order.at(-1);
    if (first === undefined || last === undefined) return undefined;
    let from = -1;
    let room = 0;
    if (this.#index[first] === 0) {
      from = this.#at[first]!;
      room = this.#length[first]!;
    } else if (this.#trailer > 0 && this.#index[last] === this.#last) {
      if (this.#length[last]! < this.#trailer) return undefined;
      from = this.#at[last]! + this.#length[last]! - this.#trailer;
      room = this.#trailer;
    }
    if (from < 0) return undefined;
    const size = Math.min(room, headerRoom);
    memory.copyWithin(saveAt, from, from + size);
    return readHeaders(view, saveAt, size);
  }

  #stretch(
    memory: Uint8Array,
    view: DataView,
    chunk: number,
    headers: Headers,
    headerAt: number,
    saveAt: number,
    from: number,
    to: number,
  ): boolean {
    const { size, end, gsoSize } = headers;
    let start = Math.max(this.#index[this.#order[from]!]! * chunk, size);
    const lastOne = this.#order[to]!;
    let stop = Math.min(this.#index[lastOne]! * chunk + this.#length[lastOne]!, end);
    if (headers.transport === ipUdp) {
      // Datagrams stay whole: only those that begin and end in the stretch.
      start = size + Math.ceil((start - size) / gsoSize) * gsoSize;
      if (stop < end) stop = size + Math.floor((stop - size) / gsoSize) * gsoSize;
    }
    if (stop <= start) return false;
    this.pieces = 1;
    this.pieceAt[0] = headerAt;
    this.pieceLength[0] = size;
    for (let k = from; k <= to; k++) {
      const one = this.#order[k]!;
      const begins = this.#index[one]! * chunk;
      const a = Math.max(begins, start);
      const b = Math.min(begins + this.#length[one]!, stop);
      if (b <= a) continue;
      this.pieceAt[this.pieces] = this.#at[one]! + a - begins;
      this.pieceLength[this.pieces] = b - a;
      this.pieces++;
    }
    memory.copyWithin(headerAt, saveAt, saveAt + size);
    writeHeaders(view, headerAt, headers, start - size, stop - start, stop >= end);
    return true;
  }
}

/** What the headers of a packet that can be cut say. */
interface Headers {
  readonly six: boolean;
  readonly transport: typeof ipTcp | typeof ipUdp;
  /** Bytes from the virtio header to the payload. */
  readonly size: number;
  readonly ipLength: number;
  readonly gsoSize: number;
  readonly gsoType: number;
  /** Bytes from the virtio header to the end of the packet. */
  readonly end: number;
}

function readHeaders(view: DataView, at: number, room: number): Headers | undefined {
  if (room < virtioHeader + 28) return undefined;
  const { gsoType: type, gsoSize } = readVirtioHeader(view, at);
  const kind = type & ~gsoEcn;
  const ip = at + virtioHeader;
  const six = view.getUint8(ip) >>> 4 === 6;
  const known = kind === gsoType.udp || kind === (six ? gsoType.tcp6 : gsoType.tcp4);
  if (!known || gsoSize === 0) return undefined;
  const transport = kind === gsoType.udp ? ipUdp : ipTcp;
  // Packets with extension headers do not come as super-packets.
  if (view.getUint8(ip + (six ? 6 : 9)) !== transport) return undefined;
  const ipLength = six ? 40 : (view.getUint8(ip) & 15) * 4;
  if (ipLength < 20 || virtioHeader + ipLength + 20 > room + (transport === ipUdp ? 12 : 0)) {
    return undefined;
  }
  const transportLength = transport === ipUdp ? 8 : (view.getUint8(ip + ipLength + 12) >>> 4) * 4;
  const size = virtioHeader + ipLength + transportLength;
  const total = six ? 40 + view.getUint16(ip + 4) : view.getUint16(ip + 2);
  if (transportLength < 8 || size > room || virtioHeader + total <= size) return undefined;
  return { six, transport, size, ipLength, gsoSize, gsoType: type, end: virtioHeader + total };
}

/** Headers for `length` bytes of payload that begin `offset` bytes into the original's. */
function writeHeaders(
  view: DataView,
  at: number,
  headers: Headers,
  offset: number,
  length: number,
  final: boolean,
): void {
  const { six, transport, ipLength, size, gsoSize } = headers;
  const ip = at + virtioHeader;
  const l4 = ip + ipLength;
  const l4Length = size - virtioHeader - ipLength + length;
  if (six) {
    view.setUint16(ip + 4, l4Length);
  } else {
    view.setUint16(ip + 2, ipLength + l4Length);
    // Cards count identifications up, one a segment.
    view.setUint16(ip + 4, view.getUint16(ip + 4) + Math.floor(offset / gsoSize) & 0xffff);
    writeIpv4Checksum(view, ip, ipLength);
  }
  if (transport === ipTcp) {
    view.setUint32(l4 + 4, view.getUint32(l4 + 4) + offset >>> 0);
    let flags = view.getUint8(l4 + 13);
    // FIN and PSH belong to the end of what was sent, CWR to its beginning (RFC 3168, 6.1.2).
    if (!final) flags &= ~0x09;
    if (offset > 0) flags &= ~0x80;
    view.setUint8(l4 + 13, flags);
  } else view.setUint16(l4 + 4, l4Length);
  const checksumOffset = transport === ipTcp ? 16 : 6;
  view.setUint16(l4 + checksumOffset, pseudoHeaderSum(view, ip, transport, l4Length));
  const single = length <= gsoSize;
  writeVirtioHeader(view, at, {
    flags: needsChecksum,
    gsoType: single ? gsoType.none : headers.gsoType,
    headerLength: size - virtioHeader,
    gsoSize: single ? 0 : gsoSize,
    checksumStart: ipLength,
    checksumOffset,
  });
}
