/** RFC 1035 section 4.1.1, RFC 6891 section 9. */
export const rcode = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  badVers: 16,
} as const;

/** Numbers of the record types that are told apart here. */
export const rrType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

export const classIn = 1;
export const classAny = 255;

/** Bits of the second header word. */
export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;

export const headerLength = 12;
/** Longest name on the wire, RFC 1035 section 2.3.4. */
export const maxNameBytes = 255;
/** What a client without EDNS takes over UDP. */
export const plainUdpBytes = 512;
/** Sent over UDP at most, whatever a client offers: fits into any path's packet. */
export const maxUdpBytes = 1232;
export const maxTcpBytes = 65_535;
/** Longer questions are nobody's. */
export const maxQueryBytes = 4_096;
