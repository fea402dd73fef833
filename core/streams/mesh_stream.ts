import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { MeshStream } from "./types.ts";
import { WrappedStream } from "./wrapped_stream.ts";

/** A byte stream together with who is at its other end and how it gets there. */
export class PathStream extends WrappedStream implements MeshStream {
  readonly peer: NodeCertificate;
  readonly path: readonly NodeId[];

  constructor(inner: ByteStream, peer: NodeCertificate, path: readonly NodeId[]) {
    super(inner);
    this.peer = peer;
    this.path = path;
  }
}
