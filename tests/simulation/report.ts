import type { SimOptions } from "./options.ts";
import type { SimResult } from "./scenario.ts";

/** Invariants and refusals listed at most. */
const maxLines = 20;

/** The result for people: one line per finding, nothing that depends on the machine. */
export function formatResult(options: SimOptions, result: SimResult): string {
  const { steady, partition, findings, refused } = result;
  const [low, high] = options.latencyMs;
  const lines = [
    line("mesh", [
      `${options.nodes} nodes`,
      `${result.links} links`,
      `latency ${low}-${high} ms`,
      `loss up to ${percent(options.loss)}`,
      `seed ${options.seed}`,
      `${result.virtualSeconds.toFixed(0)} virtual seconds`,
    ]),
    line("start", [`every node knows every node after ${seconds(result.convergence)}`]),
    line("steady", [
      `${kib(steady.deltaBytes)} sent per node per 10 s round`,
      `${steady.recordsSent.toFixed(1)} records`,
      `full push ${kib(steady.fullPushBytes)}`,
      `ratio ${percent(steady.ratio)}`,
    ]),
  ];
  if (result.changes.length > 0) {
    lines.push(line("changes", [
      `${result.changes.length} changes`,
      `known to every node after p50 ${seconds(median(result.changes))}`,
      `max ${seconds(worst(result.changes))}`,
    ]));
  }
  if (result.restarts.length > 0) {
    lines.push(line("restarts", [
      `${result.restarts.length} restarts with lost state`,
      `new life known to every node after p50 ${seconds(median(result.restarts))}`,
      `max ${seconds(worst(result.restarts))}`,
    ]));
  }
  if (partition !== null) {
    lines.push(line("partition", [
      `${partition.cutLinks} links cut for ${options.partitionSeconds} s`,
      `both sides know each other again ${seconds(partition.agreement)} after the cables are back`,
    ]));
  }
  lines.push(
    line("forgeries", [
      `${result.forgeries} injected`,
      `${refused.malformedMessages} malformed messages`,
      `${refused.malformedRecords} malformed records`,
      `${refused.badSignatures} bad signatures`,
      `${refused.badCertificates} bad certificates`,
      `${refused.older} replays or crossings`,
    ]),
    line("inspected", [`${findings.paths} paths`, `${findings.records} records`]),
    line("invariants", [
      findings.broken.length === 0 ? "none broken" : `${findings.broken.length} BROKEN`,
    ]),
    ...findings.broken.slice(0, maxLines).map((text) => `  ${text}`),
  );
  return lines.join("\n") + "\n";
}

function line(title: string, parts: readonly string[]): string {
  return `${title.padEnd(11)} ${parts.join(", ")}`;
}

function seconds(value: number | null): string {
  return value === null ? "NEVER" : `${value.toFixed(3)} s`;
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

/** The worst of some times; null, never, is worse than any. */
export function worst(times: readonly (number | null)[]): number | null {
  return times.reduce<number | null>(
    (most, time) => most === null || time === null ? null : Math.max(most, time),
    0,
  );
}

function median(times: readonly (number | null)[]): number | null {
  const sorted = times.map((time) => time ?? Infinity).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? Infinity;
  return middle === Infinity ? null : middle;
}
