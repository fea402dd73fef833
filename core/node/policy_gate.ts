import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import {
  type AclRule,
  type CompiledPolicy,
  compilePolicy,
  formatVerdict,
  type PolicyNode,
  type Verdict,
} from "../policy/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import {
  type IncomingStream,
  StreamError,
  type StreamHeader,
  type StreamRequest,
} from "../streams/mod.ts";
import { isLoopbackIp } from "../address/mod.ts";
import { DenialCounts, type Denials } from "./denial_counts.ts";
import {
  flowOfHeader,
  flowOfIncoming,
  flowOfRequest,
  type FlowPlace,
  judgeFlow,
  type SeenFlow,
} from "./seen_flow.ts";
import type { TargetPolicy } from "./target.ts";

export interface PolicyGateOptions {
  readonly self: NodeId;
  /** This node's own mesh addresses. */
  addresses(): readonly string[];
  readonly log: LogFn;
}

/** Flows judged in one go when the rules change, before other work gets its turn. */
const sweepChunk = 1_000;

/** What a flow runs on, and is cut by. */
export type HeldStream = Pick<ByteStream, "closed" | "reset">;

/**
 * Holds the policy against the streams of this node: those it opens, carries and serves. Open ones are remembered (there are no
 * more than sessions allow streams), and cut when the rules change against them.
 */
export class PolicyGate {
  readonly #options: PolicyGateOptions;
  readonly #denials = new DenialCounts();
  readonly #flows = new Map<HeldStream, SeenFlow>();
  readonly #held: Record<FlowPlace, number> = { source: 0, relay: 0, destination: 0 };
  #policy = compilePolicy([], []);

  constructor(options: PolicyGateOptions) {
    this.#options = options;
  }

  get policy(): CompiledPolicy {
    return this.#policy;
  }

  denials(): Denials {
    return this.#denials;
  }

  /** Open flows that are subject to the policy. */
  get flows(): number {
    return this.#flows.size;
  }

  /** Flows held, by this node's part in them. */
  flowCounts(): Readonly<Record<"open" | "total", Readonly<Record<FlowPlace, number>>>> {
    const open = { source: 0, relay: 0, destination: 0 };
    for (const { place } of this.#flows.values()) open[place]++;
    return { open, total: { ...this.#held } };
  }

  /** New rules. They hold at once; resolves when the flows that they deny have been cut as well. */
  async replace(rules: readonly AclRule[], nodes: Iterable<PolicyNode>): Promise<void> {
    const before = this.#policy.rules;
    const policy = this.#policy = compilePolicy(rules, nodes);
    if (JSON.stringify(before) !== JSON.stringify(rules)) this.#denials.startOver();
    let [turn, cut] = [0, 0];
    for (const [stream, flow] of this.#flows) {
      const verdict = judgeFlow(policy, flow);
      if (!verdict.allowed) {
        this.#denials.add(verdict.rule);
        this.#flows.delete(stream);
        stream.reset();
        cut++;
      }
      if (++turn % sweepChunk !== 0) continue;
      await new Promise((resolve) => setTimeout(resolve, 0));
      // Whoever replaced the rules meanwhile looks at all flows again.
      if (this.#policy !== policy) break;
    }
    if (cut > 0) this.#options.log("info", "flows cut by policy", { flows: cut });
  }

  /** May a stream with this header pass or end here? @throws {StreamError} STREAM_DENIED */
  authorize(header: StreamHeader): void {
    this.#admit(flowOfHeader(header));
  }

  /** May this node open the stream? @throws {StreamError} STREAM_DENIED */
  admitRequest(request: StreamRequest): SeenFlow | null {
    return this.#admit(flowOfRequest(this.#options.self, request));
  }

  /** May who has proven to be the origin have the stream served? @throws {StreamError} STREAM_DENIED */
  admitIncoming(from: IncomingStream): SeenFlow | null {
    return this.#admit(flowOfIncoming(this.#options.self, from));
  }

  /** Admits what was authorised by its header, and remembers it while it is carried. @throws {StreamError} STREAM_DENIED */
  holdRelayed(header: StreamHeader, stream: HeldStream): void {
    this.hold(flowOfHeader(header), stream);
  }

  /**
   * Remembers an open flow, to be cut when the rules turn against it, until its stream has ended.
   * @throws {StreamError} STREAM_DENIED they have turned against it since it was admitted; it has been cut
   */
  hold(flow: SeenFlow | null, stream: HeldStream): void {
    if (flow === null) return;
    try {
      this.#admit(flow);
    } catch (error) {
      stream.reset();
      throw error;
    }
    this.#flows.set(stream, flow);
    this.#held[flow.place]++;
    void stream.closed.then(() => this.#flows.delete(stream));
  }

  /** The targets a flow may be led on to, out of those that this node serves. */
  targets(flow: SeenFlow | null, targets: TargetPolicy): TargetPolicy {
    if (flow === null) return targets;
    return {
      any: targets.any,
      allowsLocalPort: (port) => targets.allowsLocalPort(port),
      isOwnProxy: (address, port) => targets.isOwnProxy?.(address, port) ?? false,
      permitted: (addresses) => this.#permitted(flow, addresses),
      ...(targets.opened !== undefined && { opened: targets.opened }),
    };
  }

  /** What of a target's addresses the flow may be led to. @throws {StreamError} STREAM_DENIED none of them */
  #permitted(flow: SeenFlow, addresses: readonly string[]): readonly string[] {
    const { policy } = this;
    const own = this.#options.addresses();
    const where = (address: string) =>
      isLoopbackIp(address) || own.includes(address) ? null : address;
    const permitted = addresses.filter((address) =>
      judgeFlow(policy, { ...flow, addresses: [where(address)] }).allowed
    );
    const chosen = permitted.length === 0 ? addresses : permitted;
    flow.addresses = chosen.map(where);
    this.#admit(flow);
    return chosen;
  }

  #admit(flow: SeenFlow | null): SeenFlow | null {
    if (flow === null) return null;
    const verdict = judgeFlow(this.#policy, flow);
    if (!verdict.allowed) throw this.#denied(flow, verdict);
    return flow;
  }

  #denied(flow: SeenFlow, verdict: Verdict): StreamError {
    const { self, log } = this.#options;
    this.#denials.add(verdict.rule);
    const why = formatVerdict(verdict, this.#policy.rules);
    const { place, from, to, port } = flow;
    log("debug", "stream denied", { place, from, to, port, why });
    return new StreamError("STREAM_DENIED", `Denied by the policy at the ${place}, ${why}`, {
      hop: self,
      rule: verdict.rule,
    });
  }
}
