/** Why a packet is not carried; counted by name. */
export const parseProblem = {
  none: 0,
  short: 1,
  version: 2,
  header: 3,
  length: 4,
  extension: 5,
  transport: 6,
} as const;
export type ParseProblem = (typeof parseProblem)[keyof typeof parseProblem];

export const ipProtocol = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/** Extension headers walked at most; senders use none to two. */
const maxExtensions = 8;

/**
 * What the data plane wants to know of an IP packet. One object is filled again for each packet. Addresses are four words; an
 * IPv4 address is the last of them, behind the prefix of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
 */
export class IpPacket {
  version = 0;
  /** Bytes of the IP header, extension headers included. */
  headerLength = 0;
  /** As the IP header says. */
  totalLength = 0;
  /** Of the transport header. */
  protocol = 0;
  /** Traffic class or type of service, ECN in the last two bits. */
  trafficClass = 0;
  hopLimit = 0;
  readonly source = new Uint32Array(4);
  readonly destination = new Uint32Array(4);
  /** 0 where the protocol has none; for ICMP echo the identifier, in both. */
  sourcePort = 0;
  destinationPort = 0;
  /** Of TCP. */
  tcpFlags = 0;
  /** Of ICMP; -1 elsewhere. */
  icmpType = -1;
  /** Not the whole of what was sent. */
  fragment = false;
  /** Where in the original it belongs, in bytes; only the fragment at 0 has ports. */
  fragmentOffset = 0;
  /** What fragments of one packet share. */
  identification = 0;
  /** That no fragment may be made of it on the way: always so in IPv6. */
  dontFragment = false;

  /** Reads the packet at a place. Where it cannot be read the fields are those of no packet. */
  parse(view: DataView, at: number, length: number): ParseProblem {
    this.fragment = false;
    this.fragmentOffset = 0;
    this.sourcePort = this.destinationPort = this.tcpFlags = 0;
    this.icmpType = -1;
    if (length < 20) return parseProblem.short;
    this.version = view.getUint8(at) >>> 4;
    if (this.version === 4) return this.#parse4(view, at, length);
    if (this.version === 6) return this.#parse6(view, at, length);
    return parseProblem.version;
  }

  #parse4(view: DataView, at: number, length: number): ParseProblem {
    const header = (view.getUint8(at) & 15) * 4;
    if (header < 20 || header > length) return parseProblem.header;
    this.headerLength = header;
    this.totalLength = view.getUint16(at + 2);
    if (this.totalLength < header || this.totalLength > length) return parseProblem.length;
    this.trafficClass = view.getUint8(at + 1);
    this.hopLimit = view.getUint8(at + 8);
    this.protocol = view.getUint8(at + 9);
    mapped(this.source, view.getUint32(at + 12));
    mapped(this.destination, view.getUint32(at + 16));
    this.identification = view.getUint16(at + 4);
    const word = view.getUint16(at + 6);
    this.dontFragment = (word & 0x4000) !== 0;
    this.fragmentOffset = (word & 0x1fff) * 8;
    this.fragment = (word & 0x3fff) !== 0;
    // No packet that can be put together is longer than its length can say; nor below.
    if (this.fragment && this.fragmentOffset + this.totalLength > 0xffff) {
      return parseProblem.length;
    }
    if (this.protocol === ipProtocol.icmp6) return parseProblem.transport;
    return this.#parseTransport(view, at + header, this.totalLength - header);
  }

  #parse6(view: DataView, at: number, length: number): ParseProblem {
    if (length < 40) return parseProblem.short;
    this.totalLength = 40 + view.getUint16(at + 4);
    if (this.totalLength > length) return parseProblem.length;
    this.trafficClass = view.getUint16(at) >>> 4 & 0xff;
    this.hopLimit = view.getUint8(at + 7);
    this.dontFragment = true;
    for (let i = 0; i < 4; i++) {
      this.source[i] = view.getUint32(at + 8 + i * 4);
      this.destination[i] = view.getUint32(at + 24 + i * 4);
    }
    // They would be taken for IPv4's; on no wire they are addresses (RFC 4942, 2.2).
    if (isMapped(this.source) || isMapped(this.destination)) return parseProblem.header;
    let next = view.getUint8(at + 6);
    let offset = 40;
    let divided = false;
    for (let seen = 0;; seen++) {
      const left = this.totalLength - offset;
      // Hop-by-hop options, routing, destination options (RFC 8200, 4.3, 4.4, 4.6).
      if (next === 0 || next === 43 || next === 60) {
        if (left < 8 || seen >= maxExtensions) return parseProblem.extension;
        // Behind a fragment header the transport header would begin where later fragments may lie, by their offsets.
        if (this.fragment) return parseProblem.extension;
        const size = (view.getUint8(at + offset + 1) + 1) * 8;
        if (size > left) return parseProblem.extension;
        // A routing header with segments left says that the destination is another one: not carried (RFC 5095).
        if (next === 43 && view.getUint8(at + offset + 3) !== 0) return parseProblem.extension;
        next = view.getUint8(at + offset);
        offset += size;
      } else if (next === 44) {
        // The fragment header (RFC 8200, 4.5). A second one in a packet is nonsense.
        if (left < 8 || divided || seen >= maxExtensions) return parseProblem.extension;
        divided = true;
        const word = view.getUint16(at + offset + 2);
        this.fragmentOffset = word & 0xfff8;
        this.fragment = (word & 0xfff9) !== 0;
        const whole = this.fragmentOffset + this.totalLength - 48;
        if (this.fragment && whole > 0xffff) return parseProblem.length;
        this.identification = view.getUint32(at + offset + 4);
        next = view.getUint8(at + offset);
        offset += 8;
        // What follows in a later fragment is no header.
        if (this.fragmentOffset > 0) break;
      } else break;
    }
    this.headerLength = offset;
    this.protocol = next;
    if (next === ipProtocol.icmp) return parseProblem.transport;
    return this.#parseTransport(view, at + offset, this.totalLength - offset);
  }

  #parseTransport(view: DataView, at: number, length: number): ParseProblem {
    if (this.fragmentOffset > 0) return parseProblem.none;
    if (this.protocol === ipProtocol.tcp) {
      if (length < 20) return parseProblem.transport;
      const header = (view.getUint8(at + 12) >>> 4) * 4;
      if (header < 20 || (header > length && !this.fragment)) return parseProblem.transport;
      this.tcpFlags = view.getUint8(at + 13);
    } else if (this.protocol === ipProtocol.udp) {
      if (length < 8) return parseProblem.transport;
    } else if (this.protocol === ipProtocol.icmp || this.protocol === ipProtocol.icmp6) {
      if (length < 8) return parseProblem.transport;
      this.icmpType = view.getUint8(at);
      if (isEcho(this.version, this.icmpType)) {
        this.sourcePort = this.destinationPort = view.getUint16(at + 4);
      }
      return parseProblem.none;
    } else return parseProblem.none;
    this.sourcePort = view.getUint16(at);
    this.destinationPort = view.getUint16(at + 2);
    return parseProblem.none;
  }
}

/** Echo request or reply, of either family. */
export function isEcho(version: number, type: number): boolean {
  return version === 4 ? type === 8 || type === 0 : type === 128 || type === 129;
}

/** Writes an IPv4 address as four words. */
export function mapped(to: Uint32Array, address: number): void {
  to[0] = to[1] = 0;
  to[2] = 0xffff;
  to[3] = address;
}

/** Whether four words are an IPv4 address. */
export function isMapped(address: Uint32Array): boolean {
  return address[2] === 0xffff && address[1] === 0 && address[0] === 0;
}
