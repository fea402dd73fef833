import type { NodeId } from "../identity/types.ts";
import { tlsConnect } from "../sessions/tls/mod.ts";
import { Deadline, underSignal } from "./abort.ts";
import { AnsweredStream, expectOk } from "./answer.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { openTimeoutMs, type StreamDeps, type StreamOpener } from "./deps.ts";
import { StreamError } from "./errors.ts";
import { PathStream } from "./mesh_stream.ts";
import { encodeHeader, encodeRequest } from "./stream_header.ts";
import type { MeshStream, StreamRequest } from "./types.ts";

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a, 0);
  out.set(b, a.length);
  return out;
}

/**
 * Opens a stream along `path` (this node first, the destination last).
 *
 * A neighbour is reached over its session, which is mutually authenticated already. Anything further runs TLS 1.3 between the two
 * ends over the relayed stream, and only inside it is the target named.
 * @throws {StreamError} no link, refused by a hop or the destination, not in time, or the far end is not who it should be
 */
export async function openMeshStream(
  deps: StreamDeps,
  path: readonly NodeId[],
  request: StreamRequest,
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<MeshStream> {
  const [, neighbour] = path;
  const session = neighbour === undefined ? undefined : deps.session(neighbour);
  if (session === undefined) {
    throw new StreamError("STREAM_NO_LINK", `There is no link to the next hop ${neighbour}`, {
      destination: request.destination,
    });
  }
  using deadline = new Deadline(options.timeoutMs ?? openTimeoutMs, options.signal);
  let raw: BufferedStream;
  try {
    raw = new BufferedStream(await session.openStream({ signal: deadline.signal }));
  } catch (cause) {
    throw new StreamError("STREAM_NO_LINK", `The link to ${neighbour} took no stream`, {
      destination: request.destination,
    }, cause);
  }
  return await underSignal(
    raw,
    deadline.signal,
    `The stream to ${request.destination}`,
    async () => {
      try {
        return await converse(deps, session, raw, path, request, deadline.signal);
      } catch (error) {
        if (error instanceof StreamError) throw error;
        throw new StreamError(
          "STREAM_FAILED",
          `The stream to ${request.destination} broke while it was being opened`,
          { destination: request.destination },
          error,
        );
      }
    },
  );
}

async function converse(
  deps: StreamDeps,
  session: StreamOpener,
  raw: BufferedStream,
  path: readonly NodeId[],
  request: StreamRequest,
  signal: AbortSignal,
): Promise<MeshStream> {
  const header = encodeHeader({
    path,
    position: 1,
    protocol: request.protocol,
    port: request.port,
  });
  const sealed = encodeRequest({
    protocol: request.protocol,
    target: request.target,
    port: request.port,
  });
  if (path.length === 2) {
    await raw.write(concat(header, sealed));
    await expectOk(raw, request.destination);
    return new PathStream(raw, session.peer, path);
  }
  await raw.write(header);
  const answered = new AnsweredStream(raw, request.destination);
  try {
    const tls = await tlsConnect(answered, {
      credentials: deps.credentials(),
      expect: request.destination,
      network: deps.network,
      now: deps.now(),
      signal,
    });
    const inner = new BufferedStream(tls);
    await inner.write(sealed);
    await expectOk(inner, request.destination);
    return new PathStream(inner, tls.peer, path);
  } catch (error) {
    throw answered.failure ?? error;
  }
}
