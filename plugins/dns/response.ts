import { flag, headerLength, maxTcpBytes, maxUdpBytes, rcode, rrType } from "./constants.ts";
import type { Query } from "./query.ts";
import type { WireRecord } from "./resource_record.ts";

/** What a question is answered with. */
export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly WireRecord[];
  readonly authority: readonly WireRecord[];
  readonly additional: readonly WireRecord[];
  /** The answers end in an alias for this name, which lies outside of the mesh. */
  readonly outside?: string;
}

/** An answer that is a code and nothing else. */
export function bareReply(code: number): Reply {
  return { rcode: code, authoritative: false, answers: [], authority: [], additional: [] };
}

const optLength = 11;
/** Reused: one answer is written at a time, and copied out. */
const buffer = new Uint8Array(maxTcpBytes);

/**
 * The message for a reply. What does not fit into `limit` is left out: of the additional section without a word, of the others together
 * with all of it and the TC bit, so that the client asks again over TCP (RFC 2181 section 9). The question goes back as it came, and
 * names equal to the asked one point to it: their letters keep the case the client chose.
 */
export function encodeResponse(
  query: Query,
  reply: Reply,
  options: { readonly limit: number; readonly recursion: boolean },
): Uint8Array<ArrayBuffer> {
  const { limit, recursion } = options;
  const room = limit - (query.edns === null ? 0 : optLength);
  let at = headerLength;
  buffer.set(query.question, at);
  at += query.question.length;
  const start = at;
  const write = (records: readonly WireRecord[]): boolean => {
    for (const record of records) {
      const end = putRecord(record, at, room, query);
      if (end === 0) return false;
      at = end;
    }
    return true;
  };
  const whole = write(reply.answers) && write(reply.authority);
  let additional = 0;
  if (!whole) at = start;
  else {
    for (const record of reply.additional) {
      const end = putRecord(record, at, room, query);
      if (end === 0) break;
      at = end;
      additional++;
    }
  }
  const flags = flag.response | query.opcode << 11 |
    (reply.authoritative ? flag.authoritative : 0) |
    (whole ? 0 : flag.truncated) |
    (query.recursionDesired ? flag.recursionDesired : 0) |
    (recursion ? flag.recursionAvailable : 0) |
    (query.checkingDisabled ? flag.checkingDisabled : 0) |
    reply.rcode & 15;
  put16(0, query.id);
  put16(2, flags);
  put16(4, query.question.length === 0 ? 0 : 1);
  put16(6, whole ? reply.answers.length : 0);
  put16(8, whole ? reply.authority.length : 0);
  put16(10, additional + (query.edns === null ? 0 : 1));
  if (query.edns !== null) at = putOpt(at, reply.rcode, query.edns.dnssecOk);
  return buffer.slice(0, at);
}

/** How long an answer over UDP may be. */
export function udpLimit(query: Query): number {
  return query.edns === null ? 512 : Math.min(query.edns.size, maxUdpBytes);
}

/** An OPT record, RFC 6891 section 6.1; the upper bits of the RCODE are in it. */
export function optRecord(extendedRcode: number, dnssecOk: boolean): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...[0, 0, rrType.OPT, maxUdpBytes >> 8, maxUdpBytes & 255],
    ...[extendedRcode >> 4, 0, dnssecOk ? 0x80 : 0, 0, 0, 0],
  );
}

/** The answer to a question that is none. */
export function faultResponse(query: Query, recursion: boolean): Uint8Array<ArrayBuffer> {
  const answered = query.fault === rcode.noError ? rcode.servFail : query.fault;
  return encodeResponse(query, bareReply(answered), { limit: 512, recursion });
}

/** Offset behind the record; 0 when there is no room. */
function putRecord(record: WireRecord, at: number, room: number, query: Query): number {
  const { body } = record;
  if (record.owner === query.name) {
    if (at + 2 + body.length > room) return 0;
    // The name at the beginning of the question, RFC 1035 section 4.1.4.
    put16(at, 0xc000 | headerLength);
    buffer.set(body, at + 2);
    return at + 2 + body.length;
  }
  const name = record.ownerBytes;
  if (at + name.length + body.length > room) return 0;
  buffer.set(name, at);
  buffer.set(body, at + name.length);
  return at + name.length + body.length;
}

function putOpt(at: number, code: number, dnssecOk: boolean): number {
  buffer.set(optRecord(code, dnssecOk), at);
  return at + optLength;
}

function put16(at: number, value: number): void {
  buffer[at] = value >> 8;
  buffer[at + 1] = value;
}
