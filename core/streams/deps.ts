import type { Credentials, NodeId } from "../identity/types.ts";
import type { Session } from "../sessions/types.ts";
import type { StreamHeader } from "./stream_header.ts";

/** The part of a session that the stream layer uses. */
export type StreamOpener = Pick<Session, "peer" | "openStream">;

/** What the stream layer needs of the node around it. */
export interface StreamDeps {
  readonly self: NodeId;
  readonly network: string;
  credentials(): Credentials;
  /** The session new streams to this neighbour use; undefined when there is none. */
  session(neighbour: NodeId): StreamOpener | undefined;
  /** May the stream pass through or end here? Throw a `StreamError` to refuse; asked at every hop. */
  authorize(header: StreamHeader): void;
  /** Wall clock, milliseconds. */
  now(): number;
}

/** From the first byte of a request to the destination's answer, unless the caller's signal ends it earlier. */
export const openTimeoutMs = 10_000;
/** A peer that opens a stream has this long to say what it is. */
export const headerTimeoutMs = 10_000;
/** Streams this node carries for others at once; beyond it answers STREAM_OVER_LIMIT. */
export const maxRelayedStreams = 4096;
