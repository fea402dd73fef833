import { nodeServerName } from "../../../core/identity/mod.ts";
import type { BenchStream, Carrier } from "./carrier.ts";

const alpnProtocols = ["pulse-bench"];
const readBufferSize = 256 * 1024;
/** Benches of a group take turns: on a busy machine a link waits longer than QUIC's idle timeout for its next round. */
const keepAliveInterval = 5_000;

/** Deno's own QUIC with nothing of ours on top: the baseline. Only the server proves who it is. */
export const rawQuic: Carrier = {
  listen(credentials) {
    const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
    const listener = endpoint.listen({
      alpnProtocols,
      cert: credentials.certificate.pem,
      key: credentials.key.privateKeyPem,
      keepAliveInterval,
    });
    return Promise.resolve({
      port: endpoint.addr.port,
      async serve(onStream) {
        for await (const incoming of listener) void serveConnection(incoming, onStream);
      },
      [Symbol.asyncDispose]() {
        endpoint.close();
        return Promise.resolve();
      },
    });
  },

  async dial(credentials, port, peer) {
    const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
    const connection = await Deno.connectQuic({
      endpoint,
      hostname: "127.0.0.1",
      port,
      alpnProtocols,
      serverName: nodeServerName(peer, credentials.certificate.network),
      caCerts: [credentials.anchor.pem],
      keepAliveInterval,
    });
    return {
      openStream: async () => overQuic(await connection.createBidirectionalStream()),
      [Symbol.asyncDispose]() {
        connection.close({ closeCode: 0, reason: "" });
        endpoint.close();
        return Promise.resolve();
      },
    };
  },
};

async function serveConnection(
  incoming: Deno.QuicIncoming,
  onStream: (stream: BenchStream) => Promise<void>,
): Promise<void> {
  const connection = await incoming.accept();
  try {
    for await (const stream of connection.incomingBidirectionalStreams) {
      await onStream(overQuic(stream));
    }
  } catch (error) {
    // The dialler has closed it, by code 0; anything else would show in what it measures.
    if (!/closed/i.test(String(error))) throw error;
  }
}

function overQuic(stream: Deno.QuicBidirectionalStream): BenchStream {
  const reader = stream.readable.getReader({ mode: "byob" });
  const writer = stream.writable.getWriter();
  let buffer = new Uint8Array(readBufferSize);
  return {
    async read() {
      const { value, done } = await reader.read(buffer);
      if (value === undefined || done) return null;
      buffer = new Uint8Array(value.buffer);
      return value;
    },
    write: (chunk) => writer.write(chunk),
    closeWrite: () => writer.close(),
  };
}
