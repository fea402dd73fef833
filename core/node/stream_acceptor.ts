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
import type { PolicyGate } from "./policy_gate.ts";
import type { TargetPolicy } from "./target.ts";
import { targetProtocol } from "./target_protocols.ts";
import type { SeenFlow } from "./seen_flow.ts";

export interface StreamAcceptorOptions extends IncomingOptions {
  readonly deps: StreamDeps;
  readonly gate: PolicyGate;
  /** Those of the targets that this node leads to as an exit. */
  exitTargets(targets: TargetPolicy): TargetPolicy;
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
  async serve(request: IncomingRequest): Promise<void> {
    const { gate, targets } = this.#options;
    let flow: SeenFlow | null;
    try {
      flow = gate.admitIncoming(request.from);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      return await request.refuse(error.status, error.message);
    }
    gate.hold(flow, request);
    const reachable = gate.targets(flow, targets);
    const exit = targetProtocol(request.from.protocol)?.exit === true;
    await serveRequest(request, {
      ...this.#options,
      targets: exit ? this.#options.exitTargets(reachable) : reachable,
    });
  }

  async #relay(stream: BufferedStream, header: StreamHeader): Promise<void> {
    const { deps, gate } = this.#options;
    if (this.#relayed >= maxRelayedStreams) {
      const reason = `Relay ${deps.self} carries ${maxRelayedStreams} streams already`;
      return await refuseStream(stream, deps.self, "STREAM_OVER_LIMIT", reason);
    }
    this.#relayed++;
    try {
      gate.holdRelayed(header, stream);
      await relayStream(deps, stream, header);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      await refuseStream(stream, deps.self, error.status, error.message);
    } finally {
      this.#relayed--;
    }
  }
}
