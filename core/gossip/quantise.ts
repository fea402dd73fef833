/**
 * Link measurements as gossip reports them: coarse steps, and a value is kept until the measurement has clearly left it,
 * so that noise makes no news.
 */

/** Each latency step is this much above the one before. */
const latencyStep = 1.25;
const lowestLatencyMs = 0.5;
const highestLatencyMs = 60_000;
/**
 * Steps a measurement has to be away from the reported value before another one is reported; 0.5 would be no hysteresis,
 * 1 bears noise of 10 % either way (half a step) wherever the true value lies.
 */
const latencyHold = 1;

const lossSteps = [0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1] as const;
/** Share of the gap to the next step that has to be crossed; 0.5 would be no hysteresis. */
const lossHold = 0.75;

/**
 * The latency to report: 0.5 ms times a power of 1.25, rounded to 0.01 ms; 0 while nothing has been measured.
 * @param ms smoothed measurement; less than half a millisecond or more than a minute counts as that
 * @param reported what was reported last; kept while the measurement is within 20 % below and 25 % above it
 */
export function quantiseLatency(ms: number, reported?: number): number {
  if (ms <= 0) return 0;
  const level = levelOf(ms);
  if (reported !== undefined && reported > 0 && Math.abs(level - levelOf(reported)) < latencyHold) {
    return reported;
  }
  const value = lowestLatencyMs * latencyStep ** Math.round(level);
  return Math.round(value * 100) / 100;
}

/**
 * The loss to report: 0, 5, 10, 20, 35, 50, 75 or 100 %.
 * @param loss smoothed measurement, 0..1
 * @param reported what was reported last; kept until three quarters of the way to a neighbouring step are crossed
 */
export function quantiseLoss(loss: number, reported?: number): number {
  const measured = clamp(loss, 0, 1);
  const at = reported === undefined ? -1 : lossSteps.findIndex((step) => step === reported);
  if (at >= 0) {
    const here = lossSteps[at]!;
    const below = lossSteps[at - 1] ?? here;
    const above = lossSteps[at + 1] ?? here;
    const low = here - (here - below) * lossHold;
    const high = here + (above - here) * lossHold;
    if (measured >= low && measured <= high) return here;
  }
  return lossSteps.reduce<number>(
    (best, step) => Math.abs(step - measured) < Math.abs(best - measured) ? step : best,
    0,
  );
}

function levelOf(ms: number): number {
  return Math.log(clamp(ms, lowestLatencyMs, highestLatencyMs) / lowestLatencyMs) /
    Math.log(latencyStep);
}

/** NaN counts as the worst. */
function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? high : Math.min(high, Math.max(low, value));
}
