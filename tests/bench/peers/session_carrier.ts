import type { Credentials, NodeId } from "../../../core/identity/mod.ts";
import { tlsAccept, tlsConnect, type TlsOptions } from "../../../core/sessions/tls/mod.ts";
import type {
  ByteStream,
  LinkPolicy,
  Session,
  SessionListener,
  Transport,
} from "../../../core/sessions/types.ts";
import type { Carrier } from "./carrier.ts";

const handshakeLimitMs = 10_000;

/** How a kind of session is listened for and dialled. */
export interface SessionMaker {
  listen(policy: LinkPolicy): Promise<SessionListener>;
  transport(policy: LinkPolicy): Promise<Transport>;
  /** Mutual TLS in each stream, as in streams that pass a relay. */
  readonly endToEnd?: true;
}

/** Streams of our own sessions, link handshake and all. */
export function sessionCarrier(maker: SessionMaker): Carrier {
  return {
    async listen(credentials) {
      const listener = await maker.listen(policy(credentials));
      const wrap = maker.endToEnd
        ? (stream: ByteStream) => tlsAccept(stream, tlsOptions(credentials))
        : (stream: ByteStream) => Promise.resolve(stream);
      return {
        port: listener.address.port,
        async serve(onStream) {
          for (let s = await listener.accept(); s !== null; s = await listener.accept()) {
            serveSession(s, async (stream) => await onStream(await wrap(stream)));
          }
        },
        [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
      };
    },
    async dial(credentials, port, peer) {
      const transport = await maker.transport(policy(credentials));
      const session = await transport.dial(
        { host: "127.0.0.1", port, expect: peer },
        { signal: AbortSignal.timeout(handshakeLimitMs) },
      );
      return {
        async openStream() {
          const stream = await session.openStream();
          return maker.endToEnd ? await tlsConnect(stream, tlsOptions(credentials, peer)) : stream;
        },
        async [Symbol.asyncDispose]() {
          await session.close();
          await transport[Symbol.asyncDispose]();
        },
      };
    },
  };
}

async function serveSession(
  session: Session,
  onStream: (stream: ByteStream) => Promise<void>,
): Promise<void> {
  for (let s = await session.acceptStream(); s !== null; s = await session.acceptStream()) {
    await onStream(s);
  }
}

function policy(credentials: Credentials): LinkPolicy {
  return {
    network: credentials.certificate.network,
    credentials: () => credentials,
    admit: () => {},
    now: () => Date.now(),
  };
}

function tlsOptions(credentials: Credentials, expect?: NodeId): TlsOptions {
  return {
    credentials,
    ...(expect === undefined ? {} : { expect }),
    network: credentials.certificate.network,
    now: Date.now(),
    signal: AbortSignal.timeout(handshakeLimitMs),
  };
}
