import { GossipError } from "./errors.ts";
import { maxCertificateBytes, maxContentBytes, maxMessageBytes } from "./limits.ts";
import { headBytes, readHead, readUint32, readUint48, type SignedHead } from "./record.ts";
import type { NodeId } from "../identity/types.ts";

/**
 * A gossip message: version byte, then sections of (type u8, length u32, payload); unknown types are skipped, so that
 * newer nodes can say more. All numbers big endian. The decoder allocates nothing before it has checked the length of
 * what it reads, and gives views of the input.
 */
export const messageVersion = 1;

export const sectionType = {
  ack: 1,
  records: 2,
  digest: 3,
  summary: 4,
  offer: 5,
  want: 6,
} as const;

export const maxSections = 1_024;
export const maxDigestBits = 12;
export const digestHashBytes = 4;
export const offerBytes = 26;
export const wantBytes = 17;
const ackProblemBytes = 3;

/** How much of a record a neighbour lacks; each level includes those below. */
export const Detail = { head: 1, content: 2, certificate: 3 } as const;
export type Detail = typeof Detail[keyof typeof Detail];

/** What the receiver of a batch says about one of its records; everything unmentioned has arrived. */
export const Need = { content: 1, certificate: 2, later: 3 } as const;
export type Need = typeof Need[keyof typeof Need];

export interface RecordItem {
  readonly head: SignedHead;
  /** Hops it had travelled at the sender. Not signed. */
  readonly hops: number;
  readonly content: Uint8Array | null;
  readonly certificate: Uint8Array | null;
}

export interface RecordBatch {
  readonly number: number;
  /** The sender resends soon: acknowledge soon. */
  readonly prompt: boolean;
  readonly items: readonly RecordItem[];
}

export interface Ack {
  readonly batch: number;
  readonly problems: readonly { readonly index: number; readonly need: Need }[];
}

/** Bucket hashes over everything the sender holds; see digest.ts. */
export interface Digest {
  readonly salt: number;
  readonly bits: number;
  /** 4 bytes for each of the 2^bits buckets. */
  readonly hashes: Uint8Array;
}

/** Says that the sender holds this; never believed, only asked for. */
export interface Offer {
  readonly id: NodeId;
  readonly sequence: number;
  readonly mark: number;
}

/** Answer to a digest: which buckets differ, and everything the sender holds in those. */
export interface Summary {
  readonly salt: number;
  readonly bits: number;
  /** One bit per bucket, most significant first. */
  readonly buckets: Uint8Array;
  readonly offers: readonly Offer[];
}

export interface Want {
  readonly id: NodeId;
  readonly detail: Detail;
}

export type Section =
  | { readonly type: "ack"; readonly ack: Ack }
  | { readonly type: "records"; readonly batch: RecordBatch }
  | { readonly type: "digest"; readonly digest: Digest }
  | { readonly type: "summary"; readonly summary: Summary }
  | { readonly type: "offer"; readonly offers: readonly Offer[] }
  | { readonly type: "want"; readonly wants: readonly Want[] };

/** @throws {GossipError} GOSSIP_MESSAGE_MALFORMED; nothing of such a message is used */
export function decodeMessage(bytes: Uint8Array): readonly Section[] {
  if (bytes.length > maxMessageBytes) {
    throw malformed(`has ${bytes.length} bytes where ${maxMessageBytes} are allowed`);
  }
  if (bytes[0] !== messageVersion) throw malformed(`has version ${bytes[0] ?? "none"}`);
  const sections: Section[] = [];
  for (let offset = 1, count = 0; offset < bytes.length; count++) {
    if (count === maxSections) throw malformed(`has more than ${maxSections} sections`);
    if (offset + 5 > bytes.length) throw malformed("ends within a section header");
    const end = offset + 5 + readUint32(bytes, offset + 1);
    if (end > bytes.length) throw malformed("ends within a section");
    const section = decodeSection(bytes[offset]!, bytes.subarray(offset + 5, end));
    if (section !== null) sections.push(section);
    offset = end;
  }
  return sections;
}

function decodeSection(type: number, payload: Uint8Array): Section | null {
  switch (type) {
    case sectionType.ack:
      return { type: "ack", ack: decodeAck(payload) };
    case sectionType.records:
      return { type: "records", batch: decodeBatch(payload) };
    case sectionType.digest:
      return { type: "digest", digest: decodeDigest(payload) };
    case sectionType.summary:
      return { type: "summary", summary: decodeSummary(payload) };
    case sectionType.offer:
      return { type: "offer", offers: decodeOffers(payload, 0) };
    case sectionType.want:
      return { type: "want", wants: decodeWants(payload) };
    default:
      return null;
  }
}

function decodeAck(payload: Uint8Array): Ack {
  if (payload.length < 4 || (payload.length - 4) % ackProblemBytes !== 0) {
    throw malformed("has an acknowledgement of a wrong length");
  }
  const problems: { index: number; need: Need }[] = [];
  for (let offset = 4; offset < payload.length; offset += ackProblemBytes) {
    const need = payload[offset + 2]!;
    if (need !== Need.content && need !== Need.certificate && need !== Need.later) {
      throw malformed("has an acknowledgement with an unknown need");
    }
    problems.push({ index: (payload[offset]! << 8) | payload[offset + 1]!, need });
  }
  return { batch: readUint32(payload, 0), problems };
}

const hasContent = 1;
const hasCertificate = 2;

function decodeBatch(payload: Uint8Array): RecordBatch {
  if (payload.length < 5) throw malformed("has a batch without a header");
  const items: RecordItem[] = [];
  let offset = 5;
  while (offset < payload.length) {
    if (offset + headBytes + 2 > payload.length) throw malformed("ends within a record");
    const head = readHead(payload, offset);
    const hops = payload[offset + headBytes]!;
    const flags = payload[offset + headBytes + 1]!;
    offset += headBytes + 2;
    let content: Uint8Array | null = null;
    let certificate: Uint8Array | null = null;
    if ((flags & hasContent) !== 0) {
      content = readBlob(payload, offset, maxContentBytes);
      offset += 2 + content.length;
    }
    if ((flags & hasCertificate) !== 0) {
      certificate = readBlob(payload, offset, maxCertificateBytes);
      offset += 2 + certificate.length;
    }
    items.push({ head, hops, content, certificate });
  }
  return { number: readUint32(payload, 0), prompt: payload[4] === 1, items };
}

function readBlob(payload: Uint8Array, offset: number, max: number): Uint8Array {
  if (offset + 2 > payload.length) throw malformed("ends within a record");
  const length = (payload[offset]! << 8) | payload[offset + 1]!;
  if (length > max) throw malformed(`has a record part of ${length} bytes, ${max} are allowed`);
  if (offset + 2 + length > payload.length) throw malformed("ends within a record");
  return payload.subarray(offset + 2, offset + 2 + length);
}

function decodeDigest(payload: Uint8Array): Digest {
  const bits = payload[4];
  if (
    bits === undefined || bits > maxDigestBits || payload.length !== 5 + digestHashBytes * 2 ** bits
  ) {
    throw malformed("has a digest of a wrong length");
  }
  return { salt: readUint32(payload, 0), bits, hashes: payload.subarray(5) };
}

function decodeSummary(payload: Uint8Array): Summary {
  const bits = payload[4];
  if (bits === undefined || bits > maxDigestBits) throw malformed("has a summary without a header");
  const start = 5 + bitmapBytes(bits);
  if (payload.length < start) throw malformed("ends within a summary");
  return {
    salt: readUint32(payload, 0),
    bits,
    buckets: payload.subarray(5, start),
    offers: decodeOffers(payload, start),
  };
}

/** Bytes of a bitmap with one bit for each of 2^bits buckets. */
export function bitmapBytes(bits: number): number {
  return Math.max(1, 2 ** bits / 8);
}

function decodeOffers(payload: Uint8Array, start: number): Offer[] {
  if ((payload.length - start) % offerBytes !== 0) throw malformed("ends within an offer");
  const offers: Offer[] = [];
  for (let offset = start; offset < payload.length; offset += offerBytes) {
    offers.push({
      id: payload.subarray(offset, offset + 16).toHex(),
      sequence: readUint48(payload, offset + 16),
      mark: readUint32(payload, offset + 22),
    });
  }
  return offers;
}

function decodeWants(payload: Uint8Array): Want[] {
  if (payload.length % wantBytes !== 0) throw malformed("ends within a want");
  const wants: Want[] = [];
  for (let offset = 0; offset < payload.length; offset += wantBytes) {
    const detail = payload[offset + 16]!;
    if (detail !== Detail.head && detail !== Detail.content && detail !== Detail.certificate) {
      throw malformed("wants an unknown detail");
    }
    wants.push({ id: payload.subarray(offset, offset + 16).toHex(), detail });
  }
  return wants;
}

function malformed(what: string): GossipError {
  return new GossipError("GOSSIP_MESSAGE_MALFORMED", `the gossip message ${what}`);
}
