import { errorText } from "../errors/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import {
  acceptStream,
  type BufferedStream,
  type IncomingRequest,
  maxRelayedStreams,
  refuseStream,
  relayStream,
  type StreamDeps,
  StreamError,
  type StreamHeader,
} from "../streams/mod.ts";
import { type IncomingOptions, serveRequest } from "./incoming.ts";
import type { Link } from "./link_manager.ts";

export interface StreamAcceptorOptions extends IncomingOptions {
  readonly deps: StreamDeps;
  /** A neighbour opened its control channel. */
  control(link: Link, stream: BufferedStream): Promise<void>;
}

/** Takes the streams that neighbours open to where they belong: control, onwards, or here. */
export class StreamAcceptor {
  readonly #options: StreamAcceptorOptions;
  #relayed = 0;

  constructor(options: StreamAcceptorOptions) {
    this.#options = options;
  }

  /** Streams carried for others now. */
  get relayed(): number {
    return this.#relayed;
  }

  /** Resolves when the stream has ended, however it did; never rejects. */
  async accept(link: Link, stream: ByteStream): Promise<void> {
    const { deps, log } = this.#options;
    try {
      const accepted = await acceptStream(deps, link.session, stream);
      if (accepted === null) return;
      if (accepted.kind === "control") await this.#options.control(link, accepted.stream);
      else if (accepted.kind === "relay") await this.#relay(accepted.stream, accepted.header);
      else await this.serve(accepted.request);
    } catch (error) {
      // A stream that breaks a rule or breaks off costs its peer that stream and nothing else.
      log("debug", "stream ended", { peer: link.peer, error: errorText(error) });
      stream.reset();
    }
  }

  /** A request that ends at this node. */
  serve(request: IncomingRequest): Promise<void> {
    return serveRequest(request, this.#options);
  }

  async #relay(stream: BufferedStream, header: StreamHeader): Promise<void> {
    const { deps } = this.#options;
    if (this.#relayed >= maxRelayedStreams) {
      const reason = `Relay ${deps.self} carries ${maxRelayedStreams} streams already`;
      return await refuseStream(stream, deps.self, "STREAM_OVER_LIMIT", reason);
    }
    this.#relayed++;
    try {
      await relayStream(deps, stream, header);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      await refuseStream(stream, deps.self, error.status, error.message);
    } finally {
      this.#relayed--;
    }
  }
}
