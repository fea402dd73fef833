import type { Lab } from "../../lab/namespaces.ts";
import { quantile } from "../statistics.ts";

/** Round trips in milliseconds. */
export interface RoundTrips {
  readonly p50: number;
  readonly p99: number;
}

/** Pings from a node, `count` times, every so many seconds. What is lost does not count. */
export async function pingTimes(
  lab: Lab,
  from: string,
  address: string,
  count: number,
  intervalSeconds: number,
): Promise<RoundTrips> {
  const { stdout } = await lab.run(from, [
    "ping",
    "-n",
    ...["-c", `${count}`],
    ...["-i", `${intervalSeconds}`],
    ...["-W", "1"],
    address,
  ], { timeoutMs: count * intervalSeconds * 1_000 + 20_000 });
  const times = parsePings(stdout);
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Milliseconds of each answer. */
export function parsePings(output: string): number[] {
  return [...output.matchAll(/ time=([\d.]+) ms/g)].map(([, time]) => Number(time));
}
