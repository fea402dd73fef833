import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { type Avoid, isNoPath, type NoPath, type Path } from "../router/mod.ts";
import {
  type MeshStream,
  openMeshStream,
  type StreamDeps,
  StreamError,
  type StreamRequest,
} from "../streams/mod.ts";
import type { PolicyGate } from "./policy_gate.ts";
import { targetProtocol } from "./target_protocols.ts";

export interface MeshStreamsOptions {
  readonly deps: StreamDeps;
  readonly gate: PolicyGate;
  /** Draws a path for a new flow; `avoid` holds the links that just failed. */
  choose(destination: NodeId, avoid: Avoid): Path | NoPath;
  /** The best path, without drawing. */
  best(destination: NodeId, avoid: Avoid): Path | NoPath;
  /** A stream from this node to itself. */
  local(request: StreamRequest): Promise<MeshStream>;
  readonly log: LogFn;
}

/** A request is tried over this many paths before the last refusal is the answer. */
const maxAttempts = 3;

/**
 * Opens streams over the paths the router gives. A path that turns out dead before the destination has answered costs another
 * try over a different one; a refusal by the destination is final.
 */
export class MeshStreams {
  readonly #options: MeshStreamsOptions;
  readonly deps: StreamDeps;

  constructor(options: MeshStreamsOptions) {
    this.#options = options;
    this.deps = options.deps;
  }

  /** @throws {StreamError} with the reason, and the hop that gave it where one did */
  async open(
    request: StreamRequest,
    options: { signal?: AbortSignal } = {},
  ): Promise<MeshStream> {
    const { gate } = this.#options;
    const flow = gate.admitRequest(request);
    const stream = await this.#open(request, options);
    gate.hold(flow, stream);
    return stream;
  }

  async #open(request: StreamRequest, options: { signal?: AbortSignal }): Promise<MeshStream> {
    if (request.destination === this.#options.deps.self) return await this.#options.local(request);
    const links: (readonly [NodeId, NodeId])[] = [];
    let failure: StreamError | undefined;
    // Users' traffic is spread over the paths; what nodes say to each other takes the best one.
    const pick = targetProtocol(request.protocol) === undefined
      ? this.#options.best
      : this.#options.choose;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const path = pick(request.destination, { links });
      if (isNoPath(path)) {
        throw failure ?? new StreamError("STREAM_NO_LINK", path.detail, {
          destination: request.destination,
          reason: path.reason,
        });
      }
      try {
        return await openMeshStream(this.#options.deps, path.nodes, request, options);
      } catch (error) {
        if (!(error instanceof StreamError) || error.status !== "STREAM_NO_LINK") throw error;
        failure = error;
        this.#options.log("debug", "path failed", {
          path: path.nodes.join(">"),
          error: error.message,
        });
        links.push(suspectLink(path.nodes, error));
      }
    }
    throw failure ?? new StreamError("STREAM_NO_LINK", "No path was tried");
  }
}

/** The link to avoid next: from the hop that refused, or from here, onwards. */
function suspectLink(path: readonly NodeId[], error: StreamError): readonly [NodeId, NodeId] {
  const { hop } = error.fields;
  const at = Math.max(0, typeof hop === "string" ? path.indexOf(hop) : 0);
  const from = Math.min(at, path.length - 2);
  return [path[from]!, path[from + 1]!];
}
