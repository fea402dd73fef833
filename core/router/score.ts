/** What an unmeasured link counts as, in milliseconds: usable, and worse than nearly everything that was measured. */
export const UNMEASURED_MS = 500;

/** Latencies above this (a minute) are cut down to it, so that absurd reports cannot overflow a sum. */
const LONGEST_MS = 60_000;

/** The latency to reckon with: `UNMEASURED_MS` for zero, negative, NaN and infinite values. */
export function effectiveLatency(latencyMs: number): number {
  if (!Number.isFinite(latencyMs) || latencyMs <= 0) return UNMEASURED_MS;
  return Math.min(latencyMs, LONGEST_MS);
}

/** The loss to reckon with: cut to 0..1; what is not a number counts as all lost. */
export function effectiveLoss(loss: number): number {
  return Number.isNaN(loss) ? 1 : Math.min(1, Math.max(0, loss));
}

/**
 * `latency * (1 + 5 * loss) * (1 + 0.3 * hops)`, lower is better, always finite and positive.
 *
 * `hops` counts the links beyond the first, that is, the relays: a direct link has none and pays nothing, so that
 * (10 ms, 20 % loss, direct) = 20 and (10 ms, 3 relays) = 19. Latency is the sum over the path, loss the combination.
 */
export function score(latencyMs: number, loss: number, hops: number): number {
  return effectiveLatency(latencyMs) * (1 + 5 * effectiveLoss(loss)) * (1 + 0.3 * hops);
}
