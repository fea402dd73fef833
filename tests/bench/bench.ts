import { median } from "./statistics.ts";

/** One number that a run measures, several times. */
export interface Bench {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  readonly unit: "Gbit/s" | "q/s" | "us" | "ms" | "s" | "s/GB" | "KB" | "MB" | "%";
  /** What the result should reach: at least for throughput, at most for everything else. */
  readonly target?: number;
  /** Another bench of the same group whose result in the same run this one is held against. */
  readonly against?: { readonly name: string; readonly target?: number };
  /** Starts what is needed; the measuring is done by `round`. */
  start(): Promise<RunningBench>;
}

export interface RunningBench extends AsyncDisposable {
  /** One measurement, in the bench's unit. The first one is a warm-up and is thrown away. */
  round(): Promise<number>;
}

/** Benches that are compared with each other: their rounds take turns, so that a slow minute hits all of them. */
export interface BenchGroup {
  readonly title: string;
  readonly rounds: number;
  readonly benches: readonly Bench[];
}

export interface BenchResult {
  readonly bench: Bench;
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  /** median / median of the bench it is held against; undefined when that one did not run. */
  readonly ratio: number | undefined;
}

/** Runs the chosen benches of a group; a bench named in `against` of a chosen one runs too. */
export async function runGroup(
  group: BenchGroup,
  chosen: (bench: Bench) => boolean,
  progress: (text: string) => void,
): Promise<BenchResult[]> {
  const wanted = group.benches.filter(chosen);
  const baselines = new Set(wanted.map((bench) => bench.against?.name));
  const benches = group.benches.filter((b) => wanted.includes(b) || baselines.has(b.name));
  await using stack = new AsyncDisposableStack();
  const samples = new Map<string, number[]>();
  const running: { bench: Bench; run: RunningBench }[] = [];
  for (const bench of benches) {
    progress(`${bench.name}: start`);
    const run = stack.use(await bench.start());
    await run.round();
    running.push({ bench, run });
    samples.set(bench.name, []);
  }
  for (let round = 1; round <= group.rounds; round++) {
    for (const { bench, run } of running) {
      progress(`${bench.name}: round ${round} of ${group.rounds}`);
      samples.get(bench.name)?.push(await run.round());
    }
  }
  const medians = new Map([...samples].map(([name, numbers]) => [name, median(numbers)]));
  return benches.map((bench) => {
    const numbers = samples.get(bench.name) ?? [];
    const own = median(numbers);
    const other = medians.get(bench.against?.name ?? "");
    return {
      bench,
      median: own,
      lowest: Math.min(...numbers),
      highest: Math.max(...numbers),
      ratio: other === undefined ? undefined : own / other,
    };
  });
}

/** Whether a result reaches its targets; undefined when it has none. */
export function reached({ bench, median, ratio }: BenchResult): boolean | undefined {
  const checks: boolean[] = [];
  if (bench.target !== undefined) {
    checks.push(isRate(bench.unit) ? median >= bench.target : median <= bench.target);
  }
  if (bench.against?.target !== undefined && ratio !== undefined) {
    checks.push(ratio >= bench.against.target);
  }
  return checks.length === 0 ? undefined : checks.every(Boolean);
}

/** Whether more is better. */
export function isRate(unit: Bench["unit"]): boolean {
  return unit === "Gbit/s" || unit === "q/s";
}
