import type { NodeId } from "../identity/types.ts";
import { quantiseLatency, quantiseLoss } from "./quantise.ts";
import type { LinkReport } from "./types.ts";

/** Loss like this within the prober's window is no chance any more: it is reported at once. */
const heavyLoss = 0.4;
/** A younger link's window holds so few probes that one lost looks like heavy loss. */
const youngMs = 15_000;
/** Lighter loss is averaged over about this long: one lost probe of ten must not be news, and again when it is forgotten. */
const averageMs = 300_000;
/** Between two reports of small changes of one link. */
const restMs = 30_000;

interface State {
  report: LinkReport;
  averageLoss: number;
  readonly since: number;
  updatedAt: number;
  changedAt: number;
}

/**
 * Turns measurements into what is worth telling everybody: a link whose latency or loss changes for good is reported within
 * seconds when it matters and within minutes when it is little; noise is not reported at all. Holds one entry per link.
 */
export class LinkNews {
  #states = new Map<NodeId, State>();

  /**
   * The links to report now: of exactly these peers, in this order.
   * @param measures smoothed round trip (0: not measured yet) and the loss in the prober's window, for each live link
   * @param now monotonic milliseconds
   */
  reports(measures: Iterable<LinkReport>, now: number): LinkReport[] {
    const states = new Map<NodeId, State>();
    for (const measure of measures) {
      const state = this.#states.get(measure.peer);
      states.set(measure.peer, state === undefined ? first(measure, now) : state);
      if (state !== undefined) update(state, measure, now);
    }
    this.#states = states;
    return Array.from(states.values(), ({ report }) => report);
  }
}

function first({ peer, latencyMs }: LinkReport, now: number): State {
  return {
    report: {
      peer,
      latencyMs: quantiseLatency(latencyMs),
      loss: 0,
    },
    averageLoss: 0,
    since: now,
    updatedAt: now,
    changedAt: -Infinity,
  };
}

function update(state: State, { peer, latencyMs, loss }: LinkReport, now: number): void {
  const share = 1 - Math.exp(-(now - state.updatedAt) / averageMs);
  state.averageLoss += (loss - state.averageLoss) * share;
  state.updatedAt = now;
  const { report } = state;
  const heavy = loss >= heavyLoss && now - state.since >= youngMs;
  const next = {
    peer,
    latencyMs: quantiseLatency(latencyMs, report.latencyMs),
    loss: quantiseLoss(heavy ? loss : state.averageLoss, report.loss),
  };
  if (next.latencyMs === report.latencyMs && next.loss === report.loss) return;
  const large = next.latencyMs >= 2 * report.latencyMs || next.latencyMs * 2 <= report.latencyMs ||
    Math.abs(next.loss - report.loss) >= heavyLoss;
  if (!large && now - state.changedAt < restMs) return;
  state.report = next;
  state.changedAt = now;
}
