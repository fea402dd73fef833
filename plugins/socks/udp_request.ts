import { parseSocksAddress } from "./socks_address.ts";

/** A datagram of a client with the header of RFC 1928 section 7. */
export interface UdpRequest {
  readonly host: string;
  readonly port: number;
  /** The header as it came: answers from there carry the same one. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

/** Views of the datagram; undefined for what is none, or a fragment (section 7: whoever does not reassemble must drop them). */
export function parseUdpRequest(datagram: Uint8Array): UdpRequest | undefined {
  const [, , fragment] = datagram;
  if (fragment !== 0) return undefined;
  const address = parseSocksAddress(datagram.subarray(3));
  if (typeof address === "string" || address.port === 0) return undefined;
  const { host, port } = address;
  const end = 3 + address.length;
  return { host, port, header: datagram.subarray(0, end), payload: datagram.subarray(end) };
}
