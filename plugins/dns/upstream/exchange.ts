import type { HostPort } from "../../../core/address/mod.ts";
import { maxTcpBytes, maxUdpBytes } from "../constants.ts";
import { readExactly, writeAll } from "../tcp_frame.ts";
import { judge, type UpstreamQuestion, type Verdict } from "./upstream_message.ts";

/** Forged answers looked at while waiting for the real one; beyond it somebody is trying. */
const maxStrangers = 64;

/** One try at one upstream. @throws {Error} no answer, or the signal */
export type Exchange = (
  upstream: HostPort,
  sent: UpstreamQuestion,
  signal: AbortSignal,
) => Promise<{ readonly message: Uint8Array; readonly verdict: Verdict }>;

/** Over UDP, from a socket and thereby a port of its own. */
export const exchangeUdp: Exchange = async (upstream, sent, signal) => {
  signal.throwIfAborted();
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: upstream.host.includes(":") ? "::" : "0.0.0.0",
    port: 0,
  });
  const close = () => socket.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const address = { transport: "udp" as const, hostname: upstream.host, port: upstream.port };
    await socket.send(sent.bytes, address);
    const buffer = new Uint8Array(maxUdpBytes * 4);
    for (let n = 0; n < maxStrangers; n++) {
      const [message, from] = await socket.receive(buffer);
      if (from.transport !== "udp" || from.port !== upstream.port) continue;
      if (from.hostname !== upstream.host) continue;
      const verdict = judge(sent, message);
      if (verdict !== "stranger") return { message, verdict };
    }
    throw new Error(`only forged answers came from ${upstream.host}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) socket.close();
  }
};

/** Over a TCP connection of its own. */
export const exchangeTcp: Exchange = async (upstream, sent, signal) => {
  using conn = await Deno.connect({ hostname: upstream.host, port: upstream.port, signal });
  const close = () => conn.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const framed = new Uint8Array(2 + sent.bytes.length);
    framed.set([sent.bytes.length >> 8, sent.bytes.length & 255]);
    framed.set(sent.bytes, 2);
    await writeAll(conn, framed);
    const head = await readExactly(conn, 2);
    const length = head === null ? 0 : head[0]! << 8 | head[1]!;
    const message = await readExactly(conn, Math.min(length, maxTcpBytes));
    if (message === null || length === 0) throw new Error(`${upstream.host} closed the connection`);
    return { message, verdict: judge(sent, message) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
};
