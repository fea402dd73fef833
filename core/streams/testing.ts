import type { Credentials, NodeId } from "../identity/types.ts";
import { acceptStream } from "./accept_stream.ts";
import type { StreamDeps, StreamOpener } from "./deps.ts";
import { StreamError } from "./errors.ts";
import { type IncomingRequest, refuseStream } from "./incoming_request.ts";
import { memoryStreamPair } from "./memory_stream.ts";
import { relayStream } from "./relay_stream.ts";
import type { StreamHeader } from "./stream_header.ts";

/** A node without transports: its links hand streams straight to the other end's stream layer. */
export class StreamNode {
  readonly deps: StreamDeps;
  readonly credentials: Credentials;
  readonly #links = new Map<NodeId, StreamNode>();
  /** What the stream layer threw while serving; protocol violations end up here. */
  readonly errors: unknown[] = [];
  readonly #serving = new Set<Promise<void>>();
  serve: (request: IncomingRequest) => Promise<void> = (request) =>
    request.refuse("STREAM_NO_PROTOCOL", "nothing is served here");
  authorize: (header: StreamHeader) => void = () => {};

  constructor(credentials: Credentials) {
    this.credentials = credentials;
    this.deps = {
      self: credentials.key.id,
      network: credentials.certificate.network,
      credentials: () => credentials,
      session: (neighbour) => this.#opener(neighbour),
      authorize: (header) => this.authorize(header),
      now: () => Date.now(),
    };
  }

  get id(): NodeId {
    return this.deps.self;
  }

  link(other: StreamNode): void {
    this.#links.set(other.id, other);
    other.#links.set(this.id, this);
  }

  #opener(neighbour: NodeId): StreamOpener | undefined {
    const other = this.#links.get(neighbour);
    return other && {
      peer: other.credentials.certificate,
      openStream: () => {
        const [near, far] = memoryStreamPair();
        other.#accept(far, {
          peer: this.credentials.certificate,
          openStream: () => Promise.reject(new Error("not used")),
        });
        return Promise.resolve(near);
      },
    };
  }

  #accept(stream: ReturnType<typeof memoryStreamPair>[0], from: StreamOpener): void {
    const task = (async () => {
      try {
        const accepted = await acceptStream(this.deps, from, stream);
        if (accepted?.kind === "request") await this.serve(accepted.request);
        if (accepted?.kind === "relay") {
          await relayStream(this.deps, accepted.stream, accepted.header).catch((error) => {
            if (!(error instanceof StreamError)) throw error;
            return refuseStream(accepted.stream, this.id, error.status, error.message);
          });
        }
      } catch (error) {
        this.errors.push(error);
        stream.reset();
      }
    })();
    this.#serving.add(task);
    task.finally(() => this.#serving.delete(task));
  }

  /** Everything this node served has ended. */
  async idle(): Promise<void> {
    while (this.#serving.size > 0) await Promise.all(this.#serving);
  }
}
