import {
  classAny,
  classIn,
  flag,
  headerLength,
  maxQueryBytes,
  plainUdpBytes,
  rcode,
  rrType,
} from "./constants.ts";
import { readName } from "./dns_name.ts";
import { walkRecords } from "./walk_records.ts";

/** What a client said in its OPT record. */
export interface Edns {
  /** Bytes it takes over UDP, at least 512. */
  readonly size: number;
  readonly dnssecOk: boolean;
}

/** A question, or why it is none that can be answered. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** RCODE to answer with at once; `noError` for a proper question. */
  readonly fault: number;
  /** As `readName` gives it. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question section as it came, to be sent back byte for byte; empty when it could not be read. */
  readonly question: Uint8Array;
  readonly edns: Edns | null;
}

const nothing = new Uint8Array(0);

/** Zone transfers and transaction keys: known, and never given. */
const refusedTypes: readonly number[] = [rrType.TKEY, rrType.TSIG, rrType.IXFR, rrType.AXFR];

/**
 * Reads a message from a stranger. What it returns refers to `message`.
 * @returns null for what must not be answered at all: responses and what has no header
 */
export function readQuery(message: Uint8Array): Query | null {
  if (message.length < headerLength) return null;
  const flags = message[2]! << 8 | message[3]!;
  if ((flags & flag.response) !== 0) return null;
  const opcode = flags >> 11 & 15;
  const base = {
    id: message[0]! << 8 | message[1]!,
    opcode,
    recursionDesired: (flags & flag.recursionDesired) !== 0,
    checkingDisabled: (flags & flag.checkingDisabled) !== 0,
    name: "",
    type: 0,
    class: 0,
    question: nothing,
    edns: null,
  };
  if (opcode !== 0) return { ...base, fault: rcode.notImp };
  const malformed = { ...base, fault: rcode.formErr };
  const count = (at: number) => message[at]! << 8 | message[at + 1]!;
  if (message.length > maxQueryBytes || count(4) !== 1 || count(6) !== 0 || count(8) !== 0) {
    return malformed;
  }
  const read = readName(message, headerLength);
  if (read === null || read.end + 4 > message.length) return malformed;
  const end = read.end + 4;
  const asked = {
    ...base,
    name: read.name,
    type: count(read.end),
    class: count(read.end + 2),
    question: message.subarray(headerLength, end),
  };
  // Most questions end here, or after an OPT record without options.
  if (count(10) === 0 && end === message.length) return { ...asked, fault: faultOf(asked) };
  const options = readOptions(message, end);
  if (options === null) return { ...asked, fault: rcode.formErr };
  const { edns, version } = options;
  const fault = version > 0 ? rcode.badVers : faultOf(asked);
  return { ...asked, edns, fault };
}

/** The OPT record, RFC 6891 section 6.1. Null: malformed. */
function readOptions(
  message: Uint8Array,
  from: number,
): { readonly edns: Edns | null; readonly version: number } | null {
  const spans = walkRecords(message, from);
  if (spans === null) return null;
  const opts = spans.filter((span) => span.type === rrType.OPT);
  const [opt] = opts;
  if (opt === undefined) return { edns: null, version: 0 };
  // At most one, owned by the root.
  if (opts.length > 1 || opt.fixed !== opt.start + 1) return null;
  const size = message[opt.fixed + 2]! << 8 | message[opt.fixed + 3]!;
  return {
    edns: {
      size: Math.max(size, plainUdpBytes),
      dnssecOk: (message[opt.fixed + 6]! & 0x80) !== 0,
    },
    version: message[opt.fixed + 5]!,
  };
}

function faultOf(asked: { readonly type: number; readonly class: number }): number {
  if (asked.class !== classIn && asked.class !== classAny) return rcode.refused;
  if (refusedTypes.includes(asked.type)) return rcode.refused;
  if (asked.type === rrType.MAILA || asked.type === rrType.MAILB) return rcode.notImp;
  if (asked.type === rrType.OPT || asked.type === 0) return rcode.formErr;
  return rcode.noError;
}
