import { encodeIpAddress } from "./socks_address.ts";

/** Reply field of RFC 1928 section 6. */
export const socksReply = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

const byCode: Readonly<Record<string, number>> = {
  STREAM_REFUSED: socksReply.connectionRefused,
  STREAM_HOST_UNREACHABLE: socksReply.hostUnreachable,
  STREAM_TARGET_INVALID: socksReply.hostUnreachable,
  STREAM_NET_UNREACHABLE: socksReply.networkUnreachable,
  STREAM_NO_LINK: socksReply.networkUnreachable,
  SOCKS_OUTSIDE: socksReply.notAllowed,
  EXIT_DOWN: socksReply.networkUnreachable,
  EXIT_NONE: socksReply.networkUnreachable,
  STREAM_DENIED: socksReply.notAllowed,
  STREAM_UNAUTHENTICATED: socksReply.notAllowed,
  STREAM_NO_PROTOCOL: socksReply.notAllowed,
  STREAM_TIMEOUT: socksReply.ttlExpired,
  NODE_UNKNOWN: socksReply.hostUnreachable,
  NODE_AMBIGUOUS: socksReply.hostUnreachable,
  NODE_NOT_JOINED: socksReply.networkUnreachable,
};

/** The reply that says best why a stream could not be had. */
export function replyForCode(code: string): number {
  return byCode[code] ?? socksReply.generalFailure;
}

/**
 * A reply, with the address that is bound where the client needs it: for datagrams. What is bound for a connection is far away and
 * nobody's business.
 */
export function encodeReply(
  reply: number,
  bound: { readonly host: string; readonly port: number } = { host: "0.0.0.0", port: 0 },
): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(5, reply, 0, ...encodeIpAddress(bound.host, bound.port));
}
