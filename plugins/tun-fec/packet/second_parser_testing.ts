/** What the second parser reads; the names are those of `IpPacket`. */
export interface SecondReading {
  readonly version: number;
  readonly headerLength: number;
  readonly totalLength: number;
  readonly protocol: number;
  readonly trafficClass: number;
  readonly hopLimit: number;
  readonly source: readonly number[];
  readonly destination: readonly number[];
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tcpFlags: number;
  readonly icmpType: number;
  readonly fragment: boolean;
  readonly fragmentOffset: number;
  /** Undefined where there is none. */
  readonly identification: number | undefined;
  readonly dontFragment: boolean;
}

class Refused extends Error {}

function must(holds: boolean): void {
  if (!holds) throw new Refused();
}

/** Bits from the left, as the drawings in RFCs count them. */
class Bits {
  readonly #digits: string;
  #at = 0;

  constructor(bytes: readonly number[]) {
    this.#digits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  }

  take(count: number): number {
    must(this.#at + count <= this.#digits.length);
    this.#at += count;
    return parseInt(this.#digits.slice(this.#at - count, this.#at), 2);
  }

  skip(bytes: number): void {
    for (let n = 0; n < bytes; n++) this.take(8);
  }

  get bytesLeft(): number {
    return (this.#digits.length - this.#at) / 8;
  }
}

const mappedPrefix = [0, 0, 0xffff];

/**
 * An IP packet read slowly and in another way than the data plane does it (RFC 791, 792, 4443, 8200, 9293), to compare the two.
 * @returns undefined for what is not to be carried
 */
export function secondReading(captured: readonly number[]): SecondReading | undefined {
  try {
    must(captured.length >= 20);
    const version = captured[0]! >> 4;
    must(version === 4 || version === 6);
    return version === 4 ? reading4(captured) : reading6(captured);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function reading4(captured: readonly number[]): SecondReading {
  const totalLength = captured[2]! * 256 + captured[3]!;
  must(totalLength <= captured.length);
  const bits = new Bits(captured.slice(0, totalLength));
  bits.take(4);
  const words = bits.take(4);
  must(words >= 5 && words * 4 <= totalLength);
  const trafficClass = bits.take(8);
  bits.take(16);
  const identification = bits.take(16);
  bits.take(1);
  const dontFragment = bits.take(1) === 1;
  const moreFragments = bits.take(1) === 1;
  const fragmentOffset = bits.take(13) * 8;
  const [hopLimit, protocol] = [bits.take(8), bits.take(8)];
  bits.take(16);
  const source = [...mappedPrefix, bits.take(32)];
  const destination = [...mappedPrefix, bits.take(32)];
  bits.skip(words * 4 - 20);
  // ICMP of the other family.
  must(protocol !== 58);
  const fragment = moreFragments || fragmentOffset > 0;
  // No packet is longer than its length can say.
  must(!fragment || fragmentOffset + totalLength <= 65_535);
  return {
    version: 4,
    headerLength: words * 4,
    totalLength,
    protocol,
    trafficClass,
    hopLimit,
    source,
    destination,
    fragment,
    fragmentOffset,
    identification,
    dontFragment,
    ...transport(bits, 4, protocol, fragment, fragmentOffset),
  };
}

function reading6(captured: readonly number[]): SecondReading {
  must(captured.length >= 40);
  const totalLength = captured[4]! * 256 + captured[5]! + 40;
  must(totalLength <= captured.length);
  const bits = new Bits(captured.slice(0, totalLength));
  bits.take(4);
  const trafficClass = bits.take(8);
  bits.take(20 + 16);
  let next = bits.take(8);
  const hopLimit = bits.take(8);
  const address = () => {
    const words = [bits.take(32), bits.take(32), bits.take(32), bits.take(32)];
    must(words.slice(0, 3).join() !== mappedPrefix.join());
    return words;
  };
  const [source, destination] = [address(), address()];
  let fragments: { readonly offset: number; readonly more: boolean; readonly id: number }[] = [];
  let headers = 0;
  let beforeFragments = 0;
  while ([0, 43, 44, 60].includes(next) && (fragments[0]?.offset ?? 0) === 0) {
    must(++headers <= 8);
    const kind = next;
    next = bits.take(8);
    if (kind === 44) {
      bits.take(8);
      const offset = bits.take(13) * 8;
      bits.take(2);
      fragments = [...fragments, { offset, more: bits.take(1) === 1, id: bits.take(32) }];
      must(fragments.length === 1);
      continue;
    }
    // In the first of several parts the transport header stands where every other part's offset says it does.
    must(fragments[0]?.more !== true);
    const length = bits.take(8);
    bits.take(8);
    const segmentsLeft = bits.take(8);
    must(kind !== 43 || segmentsLeft === 0);
    bits.skip(4 + length * 8);
    if (fragments.length === 0) beforeFragments += 8 + length * 8;
  }
  const [{ offset: fragmentOffset, more, id } = { offset: 0, more: false, id: undefined }] =
    fragments;
  const fragment = more || fragmentOffset > 0;
  must(!fragment || beforeFragments + fragmentOffset + bits.bytesLeft <= 65_535);
  must(next !== 1);
  return {
    version: 6,
    headerLength: totalLength - bits.bytesLeft,
    totalLength,
    protocol: next,
    trafficClass,
    hopLimit,
    source,
    destination,
    fragment,
    fragmentOffset,
    identification: id,
    dontFragment: true,
    ...transport(bits, 6, next, fragment, fragmentOffset),
  };
}

type Transport = Pick<
  SecondReading,
  "sourcePort" | "destinationPort" | "tcpFlags" | "icmpType"
>;

function transport(
  bits: Bits,
  version: 4 | 6,
  protocol: number,
  fragment: boolean,
  offset: number,
): Transport {
  const none = { sourcePort: 0, destinationPort: 0, tcpFlags: 0, icmpType: -1 };
  if (offset > 0) return none;
  const size = bits.bytesLeft;
  switch (protocol) {
    case 6: {
      const [sourcePort, destinationPort] = [bits.take(16), bits.take(16)];
      bits.skip(8);
      const header = bits.take(4) * 4;
      bits.take(4);
      const tcpFlags = bits.take(8);
      bits.skip(6);
      must(header >= 20);
      // Options may lie in the next part.
      must(fragment || header <= size);
      return { ...none, sourcePort, destinationPort, tcpFlags };
    }
    case 17: {
      const [sourcePort, destinationPort] = [bits.take(16), bits.take(16)];
      bits.skip(4);
      return { ...none, sourcePort, destinationPort };
    }
    case 1:
    case 58: {
      const icmpType = bits.take(8);
      bits.skip(3);
      const identifier = bits.take(16);
      bits.skip(2);
      const echoes = version === 4 ? [0, 8] : [128, 129];
      if (!echoes.includes(icmpType)) return { ...none, icmpType };
      return { ...none, icmpType, sourcePort: identifier, destinationPort: identifier };
    }
    default:
      return none;
  }
}
