import { errorText } from "../errors/mod.ts";
import { ProtocolError } from "../sessions/errors.ts";
import { tlsAccept } from "../sessions/tls/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import { Deadline, underSignal } from "./abort.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { headerTimeoutMs, type StreamDeps, type StreamOpener } from "./deps.ts";
import { StreamError } from "./errors.ts";
import { readFrame16 } from "./framed_io.ts";
import { IncomingRequest, refuseStream } from "./incoming_request.ts";
import {
  decodeHeader,
  decodeRequest,
  encodeAnswer,
  maxHeaderBytes,
  maxRequestBytes,
  type StreamHeader,
  streamKind,
} from "./stream_header.ts";

/** What a stream that a neighbour opened turned out to be. */
export type AcceptedStream =
  | { readonly kind: "control"; readonly stream: BufferedStream }
  | { readonly kind: "relay"; readonly stream: BufferedStream; readonly header: StreamHeader }
  | { readonly kind: "request"; readonly request: IncomingRequest };

/**
 * Reads what a neighbour's stream is for and checks it. Null: it was answered and ended here.
 * @throws {ProtocolError} nothing a member would send; the stream has been reset
 */
export async function acceptStream(
  deps: StreamDeps,
  session: StreamOpener,
  inner: ByteStream,
): Promise<AcceptedStream | null> {
  const stream = new BufferedStream(inner);
  using deadline = new Deadline(headerTimeoutMs);
  return await underSignal(stream, deadline.signal, "A stream's header", async () => {
    const [kind] = await stream.readExact(1);
    if (kind === streamKind.control) return { kind: "control", stream };
    if (kind !== streamKind.mesh) throw new ProtocolError(`Unknown kind of stream ${kind}`);
    const header = decodeHeader(await readFrame16(stream, maxHeaderBytes));
    try {
      checkHeader(deps, session, header);
      if (header.position < header.path.length - 1) return { kind: "relay", stream, header };
      const request = await readRequest(deps, session, stream, header, deadline.signal);
      return { kind: "request", request };
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      await refuseStream(stream, deps.self, error.status, error.message);
      return null;
    }
  });
}

/** The previous hop is proven by its session; so is the origin when it is the previous hop, else the destination proves it. */
function checkHeader(deps: StreamDeps, session: StreamOpener, header: StreamHeader): void {
  if (header.path[header.position] !== deps.self) {
    throw new StreamError(
      "STREAM_BAD_REQUEST",
      `Node ${deps.self} is not at its place in the path`,
    );
  }
  if (header.path[header.position - 1] !== session.peer.id) {
    throw new StreamError(
      "STREAM_BAD_REQUEST",
      `The path does not come through ${session.peer.id}`,
    );
  }
  deps.authorize(header);
}

async function readRequest(
  deps: StreamDeps,
  session: StreamOpener,
  stream: BufferedStream,
  header: StreamHeader,
  signal: AbortSignal,
): Promise<IncomingRequest> {
  let sealed = stream;
  let origin = session.peer;
  if (header.path.length > 2) {
    await stream.write(encodeAnswer({ status: 0, reason: "", hop: deps.self }));
    const tls = await tlsAccept(stream, {
      credentials: deps.credentials(),
      network: deps.network,
      now: deps.now(),
      signal,
    });
    if (tls.peer.id !== header.path[0]) {
      tls.reset();
      throw new ProtocolError(
        `The path says origin ${header.path[0]}, the far end proved to be ${tls.peer.id}`,
      );
    }
    sealed = new BufferedStream(tls);
    origin = tls.peer;
  }
  const request = decodeRequest(await readFrame16(sealed, maxRequestBytes));
  const incoming = new IncomingRequest(sealed, {
    origin,
    protocol: request.protocol,
    target: request.target,
    port: request.port,
    path: header.path,
  }, deps.self);
  // Relays judged the declared protocol and port; a sealed request that says otherwise is an attempt to get past them.
  if (request.protocol !== header.protocol || request.port !== header.port) {
    await incoming.refuse("STREAM_DENIED", "The sealed request differs from the declared one");
    throw new ProtocolError("A sealed request differed from its header", {
      origin: origin.id,
      detail: errorText(`${header.protocol}:${header.port}`),
    });
  }
  return incoming;
}
