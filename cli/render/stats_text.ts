import type { PeerSeries, StatPoint, StatsAnswer } from "../../core/history/types.ts";
import { formatBytes } from "./byte_count.ts";
import { shortIds } from "./short_ids.ts";
import { sparkline } from "./sparkline.ts";
import { type Column, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "PEER" },
  { title: "PATH" },
  { title: "LATENCY", align: "right" },
  { title: "WORST", align: "right", dispensable: 1 },
  { title: "LOSS", align: "right" },
  { title: "IN", align: "right" },
  { title: "OUT", align: "right" },
  { title: "LATENCY OVER TIME", dispensable: 2 },
];

const bars = 30;

/** `pulse stats` for people: a line for each peer, sums and means over the whole time. */
export function statsText(
  answer: StatsAnswer,
  options: { readonly width: number | undefined },
): string {
  const { series, node, resolution, truncated } = answer;
  if (series.length === 0) return `node ${node} has measured nothing in that time\n`;
  const vias = series.flatMap(({ points }) => points.flatMap(({ path }) => viaOf(path) ?? []));
  const short = shortIds([...series.map(({ peer }) => peer), ...vias]);
  const lines = renderTable(columns, series.map((entry) => row(entry, short)), options);
  const cut = truncated ? "; older points are left out" : "";
  return `node ${node}, points of ${resolution}${cut}\n\n${lines.join("\n")}\n`;
}

function row({ peer, points }: PeerSeries, short: (id: string) => string): string[] {
  const samples = points.reduce((sum, point) => sum + point.samples, 0);
  const worst = Math.max(...points.map(({ worstLatencyMs }) => worstLatencyMs ?? -1));
  const sum = (of: (point: StatPoint) => number) => points.reduce((all, p) => all + of(p), 0);
  const measured = points.filter(({ latencyMs }) => latencyMs !== null);
  const weight = measured.reduce((all, point) => all + point.samples, 0);
  const latency = measured.reduce((all, p) => all + (p.latencyMs ?? 0) * p.samples, 0) / weight;
  const path = points.at(-1)?.path ?? "-";
  const via = viaOf(path);
  return [
    short(peer),
    via === undefined ? path : `via ${short(via)}`,
    weight === 0 ? "-" : `${latency.toFixed(1)}ms`,
    worst < 0 ? "-" : `${worst.toFixed(1)}ms`,
    `${(100 * sum((p) => p.loss * p.samples) / Math.max(1, samples)).toFixed(1)}%`,
    formatBytes(sum((p) => p.bytesIn)),
    formatBytes(sum((p) => p.bytesOut)),
    sparkline(points.map(({ latencyMs }) => latencyMs), bars),
  ];
}

function viaOf(path: string): string | undefined {
  return path.startsWith("via ") ? path.slice(4) : undefined;
}
