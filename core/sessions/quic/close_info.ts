import { errorText } from "../../errors/mod.ts";
import { SessionCloseCode, type SessionCloseInfo } from "../types.ts";

/** Close reasons on the wire are at most this long: they have to fit one packet. */
const maxReasonLength = 200;

/** QUIC close codes are `SessionCloseCode`s, as they are. */
export function closeFrame(code: number, reason: string): Deno.QuicCloseInfo {
  return { closeCode: code, reason: reason.slice(0, maxReasonLength) };
}

/** Why a connection that nobody here closed has ended. Never rejects. */
export async function remoteClose(connection: Deno.QuicConn): Promise<SessionCloseInfo> {
  try {
    const { closeCode, reason } = await connection.closed;
    return { code: Number(closeCode), reason, remote: true };
  } catch (error) {
    const text = errorText(error);
    // quinn's words; there is no code to ask for.
    return /timed out/i.test(text)
      ? { code: SessionCloseCode.idleTimeout, reason: "no sign of life", remote: false }
      : { code: SessionCloseCode.protocolError, reason: text, remote: false };
  }
}

/** `ip:port`, an IPv6 address in brackets. An IPv4 peer of a dual-stack socket is shown as the IPv4 peer it is. */
export function addressText(address: Deno.NetAddr): string {
  const host = address.hostname.replace(/^::ffff:(?=\d+\.)/i, "");
  return host.includes(":") ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}
