import { errorCode, errorText, PulseError } from "../../../core/errors/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import type { LabelTable } from "../loop/types.ts";
import { sleep } from "../sleep.ts";
import type { IndexTable } from "./index_table.ts";
import { type LabelAsk, LabelLease } from "./label_lease.ts";
import { decodeLabelMessage, encodeLabelMessage, type LabelMessage } from "./label_message.ts";

/** Labels one neighbour may hold here. */
const maxPerNeighbour = 4_096;
/** This long a neighbour may take to ask, and to ask for a sign of life once it has a label. */
const patienceMs = 15_000;
/** So long a path waits for the next hop to say where its data port is. */
const portMs = 5_000;

export interface LabelServerOptions {
  /** This node; known once it has joined. */
  self(): NodeId | undefined;
  /** One number space for keys and labels. */
  readonly indexes: IndexTable<unknown>;
  /** Whether the rules let any packet pass between the two. */
  mayCarry(from: NodeId, to: NodeId): Promise<boolean>;
  /** `ip:port` of a neighbour's data port; undefined: packets cannot be sent to it directly. */
  endpoint(neighbour: NodeId): string | undefined;
  /** Opens a stream to the next relay. @throws {PulseError} */
  open(relay: NodeId): Promise<ByteStream>;
  changed(): void;
  /** A path waits so long for the next hop to say where its data port is. @default 5000 */
  readonly portMs?: number;
  readonly log: LogFn;
}

interface Carried {
  readonly ask: LabelAsk;
  readonly next: number;
  readonly stream: ByteStream;
}

/** A relay's side of labelled paths: who may have one, and where its segments go. */
export class LabelServer implements Disposable {
  readonly #options: LabelServerOptions;
  readonly #carried = new Map<number, Carried>();
  readonly #held = new Map<NodeId, number>();
  /** Ends when a data port may have become known. */
  #news = new AbortController();
  #disposed = false;

  constructor(options: LabelServerOptions) {
    this.#options = options;
  }

  /** Serves one neighbour's stream for as long as the path is to last. */
  async serve(stream: ByteStream, neighbour: NodeId): Promise<void> {
    const messages = new DatagramStream(stream);
    const held = this.#held.get(neighbour) ?? 0;
    this.#held.set(neighbour, held + 1);
    try {
      const said = await receive(stream, messages);
      if (said?.[0] !== "ask") return stream.reset();
      const [, path, position, receiver] = said;
      const ask = { path, position, receiver };
      try {
        if (held >= maxPerNeighbour) {
          throw refusal("TUN_LABEL_LIMIT", `${held} paths are carried for that neighbour already`);
        }
        await this.#carry(ask, stream, messages, neighbour);
      } catch (error) {
        const code = errorCode(error, "TUN_LABEL_FAILED").slice(0, 40);
        const text = errorText(error).slice(0, 300);
        await messages.send(encodeLabelMessage(["refuse", code, text]));
        await stream.closeWrite();
      }
    } catch (error) {
      // What makes no sense, or breaks off, costs its neighbour that stream.
      this.#options.log("debug", "no path was asked for", { error: errorText(error) });
      stream.reset();
    } finally {
      const left = (this.#held.get(neighbour) ?? 1) - 1;
      if (left === 0) this.#held.delete(neighbour);
      else this.#held.set(neighbour, left);
    }
  }

  /** What the loop is to pass on. A path whose next hop cannot be reached any more is ended. */
  tables(): LabelTable[] {
    this.#news.abort();
    this.#news = new AbortController();
    return [...this.#carried].flatMap(([label, { ask, next, stream }]) => {
      const endpoint = this.#options.endpoint(nextHop(ask));
      if (endpoint !== undefined) return [{ label, endpoint, next }];
      stream.reset();
      return [];
    });
  }

  /** The rules or the revocations have changed: paths that they are against are ended. */
  async recheck(): Promise<void> {
    for (const { ask, stream } of [...this.#carried.values()]) {
      if (!await this.#options.mayCarry(ask.path[0]!, ask.path.at(-1)!)) stream.reset();
    }
  }

  async #carry(
    ask: LabelAsk,
    stream: ByteStream,
    messages: DatagramStream,
    neighbour: NodeId,
  ): Promise<void> {
    const { self, indexes, endpoint, mayCarry, changed, log } = this.#options;
    const { path, position } = ask;
    if (path[position] !== self() || path[position - 1] !== neighbour) {
      throw refusal("TUN_LABEL_PATH", "this is not the neighbour's place on that path");
    }
    if (!await mayCarry(path[0]!, path.at(-1)!)) {
      throw refusal("STREAM_DENIED", "the rules let no packet pass between the two");
    }
    const hop = nextHop(ask);
    // Nodes that start at once ask before they have all met.
    const until = performance.now() + (this.#options.portMs ?? portMs);
    while (endpoint(hop) === undefined && !this.#disposed && performance.now() < until) {
      await sleep(until - performance.now(), this.#news.signal);
    }
    if (endpoint(hop) === undefined) {
      throw refusal("TUN_LABEL_NO_PORT", `there is no data port of ${hop} to send to`);
    }
    await using stack = new AsyncDisposableStack();
    let next = ask.receiver;
    let onward: LabelLease | undefined;
    if (position + 2 < path.length) {
      const further = await this.#options.open(hop);
      const lease = onward = await LabelLease.ask(
        further,
        { ...ask, position: position + 1 },
        () => {},
      );
      stack.defer(() => lease.close());
      void lease.ended.then(() => stream.reset());
      next = lease.label;
    }
    if (this.#disposed) throw refusal("TUN_LABEL_FAILED", "the relay is shutting down");
    const carried = { ask, next, stream };
    const label = indexes.add(carried);
    this.#carried.set(label, carried);
    stack.defer(() => {
      this.#carried.delete(label);
      indexes.remove(label);
      changed();
    });
    changed();
    try {
      await messages.send(encodeLabelMessage(["label", label]));
      log("debug", "packets are carried", { path: path.join(">") });
      while ((await receive(stream, messages))?.[0] === "ping") {
        // Who asks is to doubt the whole path, not this hop alone.
        if (onward?.doubtful !== true) await messages.send(encodeLabelMessage(["pong"]));
      }
    } catch (error) {
      log("debug", "a carried path has ended", { path: path.join(">"), error: errorText(error) });
    }
    stream.reset();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#news.abort();
    for (const { stream } of this.#carried.values()) stream.reset();
  }
}

function nextHop({ path, position }: LabelAsk): NodeId {
  return path[position + 1]!;
}

function refusal(code: string, message: string): PulseError {
  return new PulseError(code, message);
}

/** The next message; a neighbour that says nothing in time has its stream ended. */
async function receive(
  stream: ByteStream,
  messages: DatagramStream,
): Promise<LabelMessage | null> {
  const timer = setTimeout(() => stream.reset(), patienceMs);
  try {
    const bytes = await messages.receive();
    return bytes === null ? null : decodeLabelMessage(bytes);
  } finally {
    clearTimeout(timer);
  }
}
