import { isMapped } from "../packet/ip_packet.ts";
import type { IpPacket } from "../packet/ip_packet.ts";
import { udpHeaders, writeUdpHeaders } from "./udp_headers.ts";
import { gsoType, needsChecksum } from "./virtio_header.ts";

/** Datagrams in one super-packet that every kernel cuts again, and bytes of their payload. */
const maxDatagrams = 64;
const maxPayload = 60_000;

/**
 * Gathers datagrams of one flow that follow each other, so that they are handed over as one super-packet: half of what a small
 * packet costs is the call. All have the same payload but the last, which may have less.
 */
export class DatagramBatch {
  /** What to write: offsets and lengths in memory. */
  readonly pieceAt = new Int32Array(maxDatagrams + 1);
  readonly pieceLength = new Int32Array(maxDatagrams + 1);
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #headerAt: number;
  /** Of the headers. */
  #size = 0;
  #count = 0;
  #each = 0;
  #payload = 0;

  /** @param headerAt room of `headerRoom` bytes in the memory */
  constructor(bytes: Uint8Array, view: DataView, headerAt: number) {
    this.#bytes = bytes;
    this.#view = view;
    this.#headerAt = headerAt;
  }

  /** Datagrams gathered. */
  get count(): number {
    return this.#count;
  }

  /** Whether a packet may be the first of several. */
  begins(at: number, packet: IpPacket): boolean {
    const size = udpHeaders(packet);
    return size > 0 && (this.#view.getUint8(at) & needsChecksum) !== 0 &&
      this.#view.getUint8(at + 1) === gsoType.none;
  }

  /** Begins with a packet that may. Where it lies has to stay as it is until the batch is taken. */
  begin(at: number, length: number, packet: IpPacket): void {
    this.#size = udpHeaders(packet);
    this.#count = 1;
    this.#each = this.#payload = length - this.#size;
    this.pieceAt[1] = at + this.#size;
    this.pieceLength[1] = this.#each;
  }

  /** Adds a packet if it continues the others. */
  add(at: number, length: number, packet: IpPacket): boolean {
    const payload = length - this.#size;
    const fits = this.#count < maxDatagrams && payload > 0 && payload <= this.#each &&
      this.pieceLength[this.#count] === this.#each && this.#payload + payload <= maxPayload;
    if (!fits || !this.begins(at, packet) || !this.#sameFlow(at, packet)) return false;
    this.#count++;
    this.#payload += payload;
    this.pieceAt[this.#count] = at + this.#size;
    this.pieceLength[this.#count] = payload;
    return true;
  }

  /** Lists the pieces of the super-packet, or of the one packet there is. @returns how many */
  take(): number {
    const count = this.#count;
    const first = this.pieceAt[1]! - this.#size;
    this.#count = 0;
    if (count === 1) {
      this.pieceAt[0] = first;
      this.pieceLength[0] = this.#size + this.#each;
      return 1;
    }
    this.#bytes.copyWithin(this.#headerAt, first, first + this.#size);
    writeUdpHeaders(this.#view, this.#headerAt, this.#size, this.#payload, this.#each);
    this.pieceAt[0] = this.#headerAt;
    this.pieceLength[0] = this.#size;
    return count + 1;
  }

  /** Has the pieces list one of the packets that were taken, as it came. */
  single(index: number): void {
    this.pieceAt[0] = this.pieceAt[index + 1]! - this.#size;
    this.pieceLength[0] = this.pieceLength[index + 1]! + this.#size;
  }

  /** Everything in the headers is the same but what belongs to each datagram: lengths, checksums, identification. */
  #sameFlow(at: number, { version, source }: IpPacket): boolean {
    const view = this.#view;
    const first = this.pieceAt[1]! - this.#size;
    const six = version === 6;
    if (isMapped(source) === six || this.#size !== udpSize(six)) return false;
    // Type of service or flow label; fragment flags, time to live, protocol; addresses; ports.
    const words = six ? sixWords : fourWords;
    for (let i = 0; i < words.length; i++) {
      const offset = words[i]!;
      if (view.getUint16(at + offset) !== view.getUint16(first + offset)) return false;
    }
    return true;
  }
}

function udpSize(six: boolean): number {
  return 10 + (six ? 40 : 20) + 8;
}

/** Places, from the virtio header on, of what is compared, in 16-bit words. */
const fourWords = [10, 16, 18, 22, 24, 26, 28, 30, 32];
const sixWords = [
  10,
  12,
  16,
  ...Array.from({ length: 16 }, (_, i) => 18 + 2 * i),
  50,
  52,
];
