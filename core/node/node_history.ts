import type { Clock } from "../clock/clock.ts";
import type { HealthWarning } from "../control/types.ts";
import { errorText } from "../errors/mod.ts";
import {
  type EventFields,
  History,
  HistoryError,
  type StatsAnswer,
  type StatsQuery,
} from "../history/mod.ts";
import { askStats, serveStats, statsProtocol } from "../history/stats_protocol.ts";
import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { Deadline, type IncomingStream, underSignal } from "../streams/mod.ts";
import type { Node } from "./node.ts";
import { peerSamples } from "./peer_samples.ts";
import { sleep } from "./sleep.ts";
import { certificateStatus } from "./status.ts";
import { ExpiryWatch } from "./expiry.ts";
import { WarningWatch } from "./warning_watch.ts";

/** Peers are sampled and warnings looked at this often. */
const sampleMs = 10_000;
/** A conversation about statistics is over after this long. */
const statsTimeoutMs = 10_000;
/** Conversations at once. */
const maxConversations = 16;

export interface NodeHistoryOptions {
  readonly dataDir: string;
  readonly self: NodeId;
  readonly clock: Clock;
  readonly log: LogFn;
  node(): Node | undefined;
  /** As `pulse status` shows them. */
  warnings(): readonly HealthWarning[];
}

/** The history of one daemon: what feeds it, and who elsewhere may read it. */
export class NodeHistory implements Disposable {
  readonly #options: NodeHistoryOptions;
  readonly #watch = new WarningWatch();
  #expiry: ExpiryWatch | undefined;
  readonly history: History;
  #conversations = 0;

  constructor(options: NodeHistoryOptions) {
    this.#options = options;
    const { dataDir, self, clock, log } = options;
    this.history = new History({
      dataDir,
      self,
      clock,
      log,
      resolveNode: (text) => this.#joined().findNode(text),
      askNode: (node, query) => this.#ask(node, query),
    });
  }

  /** Something happened. What plugins call `audit` goes into the audit log instead. */
  event(type: string, fields: EventFields): void {
    if (type === "audit") void this.history.recordAudit("change", fields);
    else this.history.event(type, fields);
  }

  /** Samples until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(sampleMs, signal);
      if (!signal.aborted) this.look();
    }
  }

  /** Samples once, and makes events of what has come up since. */
  look(): void {
    const node = this.#options.node();
    if (node !== undefined) {
      this.history.sample(peerSamples(node));
      this.#expiry ??= new ExpiryWatch((type) => this.#toldOf(type));
      const status = certificateStatus(node.credentials, this.#options.clock.wall());
      for (const { type, fields } of this.#expiry.next(status)) this.history.event(type, fields);
    }
    this.watchWarnings();
  }

  /** Makes events of warnings that have come or gone, for those that may not last until the next sample. */
  watchWarnings(): void {
    for (const { type, fields } of this.#watch.next(this.#options.warnings())) {
      this.history.event(type, fields);
    }
  }

  /** The certificate that the newest event of this type is about. */
  #toldOf(type: string): string | undefined {
    try {
      const told = this.history.events({ type, limit: 1 }).events[0]?.fields["certificate"];
      return typeof told === "string" ? told : undefined;
    } catch {
      // A history that cannot be read has its own warning; the event is then told once more.
      return undefined;
    }
  }

  /** Protocols this serves beside those of the plugins. */
  readonly protocols: readonly string[] = [statsProtocol];

  /** @returns false when the protocol is none of these */
  async handle(protocol: string, stream: ByteStream, from: IncomingStream): Promise<boolean> {
    if (protocol !== statsProtocol) return false;
    if (this.#conversations >= maxConversations) {
      stream.reset();
      return true;
    }
    this.#conversations++;
    using deadline = new Deadline(statsTimeoutMs);
    try {
      await underSignal(
        stream,
        deadline.signal,
        "The answer",
        () => serveStats(stream, (query) => this.#answer(from.origin, query)),
      );
    } catch (error) {
      const peer = from.origin.id;
      this.#options.log("debug", "statistics not given", { peer, error: errorText(error) });
    } finally {
      this.#conversations--;
    }
    return true;
  }

  async #answer(origin: NodeCertificate, query: StatsQuery): Promise<StatsAnswer> {
    const scribe = this.#options.node()?.networkConfig.state.grant?.grant.scribe ?? null;
    if (!mayReadStats(origin, scribe)) {
      throw new HistoryError(
        "HISTORY_DENIED",
        "statistics are for the scribe and the CA; what this node itself measured is shown without naming another",
        { node: origin.id },
      );
    }
    return await this.history.stats(query);
  }

  async #ask(node: NodeId, query: StatsQuery): Promise<StatsAnswer> {
    using deadline = new Deadline(statsTimeoutMs);
    const { signal } = deadline;
    const request = { destination: node, protocol: statsProtocol, port: 0 };
    const stream = await this.#joined().openStream(request, { signal });
    try {
      const what = `The question to node ${node}`;
      return await underSignal(stream, signal, what, () => askStats(stream, node, query));
    } finally {
      stream.reset();
    }
  }

  #joined(): Node {
    const node = this.#options.node();
    if (node !== undefined) return node;
    throw new HistoryError("HISTORY_UNAVAILABLE", "This node has not joined a network yet");
  }

  [Symbol.dispose](): void {
    this.history[Symbol.dispose]();
  }
}

/** The CA's word decides: its own role is in its certificate, the scribe's in the grant that is in force. */
export function mayReadStats(
  { id, roles }: Pick<NodeCertificate, "id" | "roles">,
  scribe: NodeId | null,
): boolean {
  return roles.includes("ca") || id === scribe;
}
