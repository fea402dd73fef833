import { classIn, flag, headerLength, maxTcpBytes, rcode, rrType } from "../constants.ts";
import type { Query } from "../query.ts";
import { bareReply, encodeResponse, optRecord } from "../response.ts";
import { encodeName } from "../dns_name.ts";
import type { WireRecord } from "../resource_record.ts";
import { type RecordSpan, walkRecords } from "../walk_records.ts";

/** A question as it goes to an upstream. */
export interface UpstreamQuestion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of its question section. */
  readonly question: Uint8Array;
}

/**
 * Asks the same with an id and letter cases of our own: whoever forges an answer has to guess both, and the source port.
 * @param random 2 bytes for the id, then one bit for each byte of the name
 */
export function upstreamQuestion(query: Query, random: Uint8Array): UpstreamQuestion {
  const question = query.question.slice();
  for (let n = 0; n < question.length - 4; n++) {
    const octet = question[n]! | 0x20;
    const letter = octet >= 0x61 && octet <= 0x7a && question[n]! >= 0x41;
    if (letter) question[n] = (random[2 + (n >> 3)]! >> (n & 7) & 1) === 0 ? octet : octet & ~0x20;
  }
  const opt = optRecord(0, query.edns?.dnssecOk ?? false);
  const bytes = new Uint8Array(headerLength + question.length + opt.length);
  bytes.set(random.subarray(0, 2), 0);
  const flags = flag.recursionDesired | (query.checkingDisabled ? flag.checkingDisabled : 0);
  bytes.set([flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, 1], 2);
  bytes.set(question, headerLength);
  bytes.set(opt, headerLength + question.length);
  return { bytes, question };
}

/** What came from an upstream. */
export type Verdict =
  /** Not an answer to this question: somebody else's, or forged. */
  | "stranger"
  /** The answer, but cut off, or with the letters in another case: to be asked for over TCP, where nobody else can speak. */
  | "ask-tcp"
  | "answer";

/** Whether a message answers the question. */
export function judge(sent: UpstreamQuestion, message: Uint8Array): Verdict {
  const { bytes, question } = sent;
  const end = headerLength + question.length;
  if (message.length < end || message[0] !== bytes[0] || message[1] !== bytes[1]) return "stranger";
  // A response, to a standard query, with one question.
  if ((message[2]! & 0xf8) !== 0x80 || message[4] !== 0 || message[5] !== 1) return "stranger";
  let sameCase = true;
  for (let n = 0; n < question.length; n++) {
    const mine = question[n]!;
    const theirs = message[headerLength + n]!;
    if (mine === theirs) continue;
    const isLetter = (mine | 0x20) >= 0x61 && (mine | 0x20) <= 0x7a && n < question.length - 4;
    if (!isLetter || (mine ^ theirs) !== 0x20) return "stranger";
    sameCase = false;
  }
  const truncated = (message[2]! & flag.truncated >> 8) !== 0;
  return sameCase && !truncated ? "answer" : "ask-tcp";
}

/** An upstream's answer, ready to be kept and to be given to many. */
export interface StoredAnswer {
  /** Without its OPT record; id, cases and TTLs are filled in when it is given out. */
  readonly message: Uint8Array<ArrayBuffer>;
  readonly question: Uint8Array;
  readonly rcode: number;
  /** Offsets of the TTLs, and what they were. */
  readonly ttls: readonly (readonly [offset: number, seconds: number])[];
  /** How long it may be kept, seconds; 0: not at all. */
  readonly lifetime: number;
}

/** A day; longer promises are not believed (RFC 8767 section 4 allows any cap). */
const maxTtl = 86_400;
/** For what does not exist: RFC 2308 section 5 asks for a limit. */
const maxNegativeTtl = 900;

/** @returns null when the message cannot be read */
export function storeAnswer(message: Uint8Array, questionLength: number): StoredAnswer | null {
  const from = headerLength + questionLength;
  const spans = walkRecords(message, from);
  if (spans === null) return null;
  const opt = spans.find((span) => span.type === rrType.OPT);
  // It concerns this hop alone. Where it is not the last, offsets behind it would be wrong without it; nobody sends that.
  if (opt !== undefined && opt.end !== message.length) return null;
  const copy = message.slice(0, opt?.start ?? message.length);
  const records = spans.filter((span) => span !== opt);
  if (opt !== undefined) {
    const count = (copy[10]! << 8 | copy[11]!) - 1;
    copy.set([count >> 8, count & 255], 10);
  }
  const code = copy[3]! & 15 | (opt === undefined ? 0 : message[opt.fixed + 4]! << 4);
  const ttls = records.map((span) => [span.fixed + 4, ttlOf(span)] as const);
  return {
    message: copy,
    question: copy.subarray(headerLength, from),
    rcode: code,
    ttls,
    lifetime: lifetimeOf(copy, records, code),
  };
}

/** RFC 2181 section 8: the upper bit set means 0. */
function ttlOf({ ttl }: RecordSpan): number {
  return ttl >= 2 ** 31 ? 0 : Math.min(ttl, maxTtl);
}

function lifetimeOf(
  message: Uint8Array,
  records: readonly RecordSpan[],
  code: number,
): number {
  if (code !== rcode.noError && code !== rcode.nxDomain) return 0;
  const lowest = Math.min(maxTtl, ...records.map(ttlOf));
  const positive = code === rcode.noError && records.some((span) => span.section === "answer");
  if (positive) return lowest;
  // RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM; without an SOA it is not to be kept.
  const soa = records.find((span) => span.section === "authority" && span.type === rrType.SOA);
  if (soa === undefined || soa.end - soa.data < 20) return 0;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  return Math.min(lowest, maxNegativeTtl, view.getUint32(soa.end - 4));
}

/** A stored answer for one client, `age` seconds after it came; only its head when it is longer than `limit`. */
export function giveAnswer(
  query: Query,
  stored: StoredAnswer,
  age: number,
  limit: number,
): Uint8Array<ArrayBuffer> {
  const opt = query.edns === null ? null : optRecord(stored.rcode, query.edns.dnssecOk);
  const length = stored.message.length + (opt?.length ?? 0);
  if (length > Math.min(limit, maxTcpBytes)) {
    const cut = encodeResponse(query, bareReply(stored.rcode), { limit, recursion: true });
    cut[2]! |= flag.truncated >> 8;
    return cut;
  }
  const out = new Uint8Array(length);
  out.set(stored.message);
  out[0] = query.id >> 8;
  out[1] = query.id & 255;
  // Neither authoritative nor, without a check of our own, authentic.
  out[2] = 0x80 | (query.recursionDesired ? 1 : 0);
  out[3] = flag.recursionAvailable | (query.checkingDisabled ? flag.checkingDisabled : 0) |
    stored.rcode & 15;
  out.set(query.question, headerLength);
  const view = new DataView(out.buffer);
  for (const [offset, seconds] of stored.ttls) {
    view.setUint32(offset, Math.max(0, Math.floor(seconds - age)));
  }
  if (opt !== null) {
    out.set(opt, stored.message.length);
    view.setUint16(10, view.getUint16(10) + 1);
  }
  return out;
}

/** A question of our own. @param name without escapes */
export function plainQuery(name: string, type: number): Query {
  const owner = encodeName(name);
  const question = new Uint8Array(owner.length + 4);
  question.set(owner);
  question.set([type >> 8, type & 255, 0, classIn], owner.length);
  return {
    id: 0,
    opcode: 0,
    recursionDesired: true,
    checkingDisabled: false,
    fault: rcode.noError,
    name,
    type,
    class: classIn,
    question,
    edns: null,
  };
}

/**
 * The answer's records of a type whose data holds no names, given to `owner`: aliases on the way there are left out.
 * @param age seconds since the answer came
 */
export function recordsOf(
  { message, question, ttls }: StoredAnswer,
  owner: string,
  type: number,
  age: number,
): WireRecord[] {
  const spans = walkRecords(message, headerLength + question.length) ?? [];
  // The whole chain is good for as long as its shortest link.
  const ttl = Math.max(0, Math.floor(Math.min(...ttls.map(([, seconds]) => seconds)) - age));
  const ownerBytes = encodeName(owner);
  return spans.filter((span) => span.section === "answer" && span.type === type).map((span) => {
    const body = message.slice(span.fixed, span.end);
    new DataView(body.buffer).setUint32(4, ttl);
    return { owner, type, ownerBytes, body };
  });
}
