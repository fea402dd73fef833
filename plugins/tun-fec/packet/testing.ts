/** Packets for tests, made without the code that reads them. */

export interface PacketFields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: "tcp" | "udp" | "icmp" | number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly tcpFlags?: number;
  readonly icmpType?: number;
  readonly payload?: Uint8Array;
  /** In bytes, a multiple of eight. */
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
  readonly dontFragment?: boolean;
  readonly trafficClass?: number;
}

/** Bytes of an address. */
export function addressBytes(text: string): number[] {
  if (!text.includes(":")) return text.split(".").map(Number);
  const [head = "", tail] = text.split("::");
  const words = (part: string) => part === "" ? [] : part.split(":");
  const [left, right] = [words(head), tail === undefined ? [] : words(tail)];
  const zeros = new Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].flatMap((word) => {
    const value = parseInt(word, 16);
    return [value >> 8, value & 255];
  });
}

const numbers = { tcp: 6, udp: 17 } as const;

/** An IP packet with a right header checksum; checksums of transports are left 0. */
export function makePacket(fields: PacketFields): Uint8Array {
  const { protocol, sourcePort = 0, destinationPort = 0, payload = new Uint8Array(0) } = fields;
  const six = fields.source.includes(":");
  const number = typeof protocol === "number"
    ? protocol
    : protocol === "icmp"
    ? six ? 58 : 1
    : numbers[protocol];
  const u16 = (value: number) => [value >> 8 & 255, value & 255];
  let transport: number[] = [];
  if ((fields.fragmentOffset ?? 0) === 0) {
    const ports = [...u16(sourcePort), ...u16(destinationPort)];
    if (protocol === "tcp") {
      transport = [
        ...ports,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0x50,
        fields.tcpFlags ?? 0x10,
        1,
        0,
        0,
        0,
        0,
        0,
      ];
    } else if (protocol === "udp") {
      transport = [...ports, ...u16(8 + payload.length), 0, 0];
    } else if (protocol === "icmp") {
      transport = [fields.icmpType ?? (six ? 128 : 8), 0, 0, 0, ...u16(sourcePort), 0, 1];
    }
  }
  const body = [...transport, ...payload];
  const addresses = [...addressBytes(fields.source), ...addressBytes(fields.destination)];
  const fragment = (fields.fragmentOffset ?? 0) > 0 || fields.moreFragments === true;
  const tos = fields.trafficClass ?? 0;
  if (six) {
    const more = fields.moreFragments === true ? 1 : 0;
    const extension = fragment
      ? [number, 0, ...u16((fields.fragmentOffset ?? 0) | more), 0, 0, 0, 7]
      : [];
    const next = fragment ? 44 : number;
    const length = extension.length + body.length;
    const first = [0x60 | tos >> 4, (tos & 15) << 4, 0, 0];
    return Uint8Array.from([
      ...first,
      ...u16(length),
      next,
      64,
      ...addresses,
      ...extension,
      ...body,
    ]);
  }
  const flags = (fields.dontFragment === true ? 0x4000 : 0) |
    (fields.moreFragments === true ? 0x2000 : 0) | (fields.fragmentOffset ?? 0) / 8;
  const header = [0x45, tos, ...u16(20 + body.length), 0, 7, ...u16(flags), 64, number, 0, 0];
  const bytes = Uint8Array.from([...header, ...addresses, ...body]);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += bytes[i]! << 8 | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.set(u16(~sum & 0xffff), 10);
  return bytes;
}
