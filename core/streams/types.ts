import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";

/** A request for a stream to (node, protocol). */
export interface StreamRequest {
  readonly destination: NodeId;
  /** Name of the protocol at the destination: `tcp` for a plain dial, else a plugin's (`ca.join`). At most 64 characters. */
  readonly protocol: string;
  /** Target `host:port` for `tcp`; seen by the destination only. At most 300 characters. */
  readonly target?: string;
  /** Port the stream is for, as policy sees it; 0 when the protocol has none. */
  readonly port: number;
}

/** A stream that reached its destination, authenticated end to end and (through relays) encrypted end to end. */
export interface MeshStream extends ByteStream {
  /** The other end's certificate: the destination for an opener, the origin for an acceptor. */
  readonly peer: NodeCertificate;
  /** Nodes it runs over, the origin first. */
  readonly path: readonly NodeId[];
}

/** What the destination gets: who asks, for what. */
export interface IncomingStream {
  readonly origin: NodeCertificate;
  readonly protocol: string;
  readonly target: string | undefined;
  readonly port: number;
  readonly path: readonly NodeId[];
}
