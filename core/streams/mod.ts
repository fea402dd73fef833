/** Streams to (node, protocol) along a source route, sealed end to end through relays. @module */
export { Deadline, underSignal } from "./abort.ts";
export { type AcceptedStream, acceptStream } from "./accept_stream.ts";
export { BufferedStream } from "./buffered_stream.ts";
export { carryDatagrams, datagramIdleMs, type DatagramTarget } from "./carry_datagrams.ts";
export { ConnStream, connToStream } from "./conn_stream.ts";
export { DatagramStream, maxDatagramBytes } from "./datagram_stream.ts";
export {
  headerTimeoutMs,
  maxRelayedStreams,
  openTimeoutMs,
  type StreamDeps,
  type StreamOpener,
} from "./deps.ts";
export { StreamError, streamStatus, type StreamStatusCode } from "./errors.ts";
export { frame32, readFrame16, readFrame32 } from "./framed_io.ts";
export { IncomingRequest, refuseStream } from "./incoming_request.ts";
export { openMeshStream } from "./open_stream.ts";
export { pipe, type PipeTotals } from "./pipe.ts";
export { relayStream } from "./relay_stream.ts";
export { type StreamHeader, streamKind } from "./stream_header.ts";
export type { IncomingStream, MeshStream, StreamRequest } from "./types.ts";
export { WrappedStream } from "./wrapped_stream.ts";
