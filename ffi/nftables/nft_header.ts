/** What a table is about: one family, or (`inet`) both. */
export type NftFamily = "ip" | "ip6" | "inet";

const SUBSYSTEM = 10;
/** NFPROTO_* */
const families: Readonly<Record<NftFamily, number>> = { inet: 1, ip: 2, ip6: 10 };

/** What a table is known by. */
export interface TableId {
  readonly family: NftFamily;
  readonly name: string;
}

export function nftType(message: number): number {
  return SUBSYSTEM << 8 | message;
}

export function familyNumber(family: NftFamily): number {
  return families[family];
}

/** Undefined for families that are not about IP. */
export function nftFamily(number: number): NftFamily | undefined {
  return (Object.keys(families) as NftFamily[]).find((family) => families[family] === number);
}

/** struct nfgenmsg: u8 family, u8 version, big-endian u16 resource. */
export function messageHeader(family: number, resource = 0): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}
