import { run } from "../lab/command.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";
import { JsonChild } from "./json_child.ts";
import { tableSize } from "./peers/scrape_node.ts";
import { treeUsage } from "./process_usage.ts";
import { median } from "./statistics.ts";

const node = new URL("./peers/scrape_node.ts", import.meta.url);
const scrapes = 25;

/** Fetches the metrics with curl, one scrape after the other; gives the milliseconds of each. */
async function fetchMetrics(url: string): Promise<number[]> {
  const targets = Array.from({ length: scrapes }, () => ["--output", "/dev/null", url]).flat();
  const { stdout } = await run([
    ...["curl", "--silent", "--show-error", "--fail", "--max-time", "60"],
    ...["--write-out", "%{size_download} %{time_total}\n", ...targets],
  ], { env: { no_proxy: "*", NO_PROXY: "*" } });
  return stdout.trimEnd().split("\n").map((line) => {
    const [size = NaN, seconds = NaN] = line.split(" ").map(Number);
    if (!(size > 100 * tableSize)) throw new Error(`${size} bytes are not that many nodes`);
    return seconds * 1_000;
  });
}

async function startScrapes(what: "time" | "cpu"): Promise<RunningBench> {
  const child = new JsonChild(node);
  const port = await child.number({}, "port");
  return {
    async round() {
      const before = treeUsage(child.pid).cpuSeconds;
      const times = await fetchMetrics(`http://127.0.0.1:${port}/metrics`);
      const used = treeUsage(child.pid).cpuSeconds - before;
      return what === "time" ? median(times) : used * 1_000 / scrapes;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** `GET /metrics`, as Prometheus does it. */
export const metricsBenches: readonly BenchGroup[] = [
  {
    title: `A scrape of the metrics of a node that knows ${tableSize} others`,
    rounds: 3,
    benches: [
      {
        name: "metrics",
        title: "from request to last byte",
        unit: "ms",
        target: 50,
        start: () => startScrapes("time"),
      },
      {
        name: "metrics-cpu",
        title: "processor time it takes the node",
        unit: "ms",
        start: () => startScrapes("cpu"),
      },
    ],
  },
];
