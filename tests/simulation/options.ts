import { parseArgs } from "node:util";

/** Everything a run depends on; the same options give the same output. */
export interface SimOptions {
  readonly nodes: number;
  readonly seed: string;
  /** Mean number of links of a node. */
  readonly degree: number;
  /** Virtual minutes in all; at least what the phases take. */
  readonly minutes: number;
  /** One way, lowest and highest, milliseconds. */
  readonly latencyMs: readonly [number, number];
  /** Highest loss of a link, 0..1; each link has its own between 0 and this. */
  readonly loss: number;
  readonly changes: number;
  readonly restarts: number;
  readonly partitionSeconds: number;
  readonly forgeriesPerSecond: number;
}

export const defaultSimOptions: SimOptions = {
  nodes: 1_000,
  seed: "1",
  degree: 6,
  minutes: 10,
  latencyMs: [1, 60],
  loss: 0.02,
  changes: 5,
  restarts: 3,
  partitionSeconds: 90,
  forgeriesPerSecond: 5,
};

export const usage = `deno task sim -- [options]

Runs the product's gossip engine, router and link prober for many nodes in virtual time.

  --nodes N        nodes (default 1000)
  --seed TEXT      what all randomness follows from (default 1)
  --degree N       mean links per node (default 6)
  --minutes N      virtual minutes in all (default 10)
  --latency A-B    one-way latency of links in ms (default 1-60)
  --loss N         highest loss of a link in percent (default 2)
  --changes N      changes whose spreading is timed (default 5)
  --restarts N     nodes killed and restarted with lost state (default 3)
  --partition N    seconds for which the mesh is cut in two, 0 for never (default 90)
  --forgeries N    forged messages a second after the quiet phase (default 5)

Output goes to stdout and depends on the options alone; wall time and memory go to stderr. Exit code 1 when an invariant
is broken.`;

/** @throws {RangeError} an option that is not a number in its range; {TypeError} an unknown option */
export function parseSimOptions(args: readonly string[]): SimOptions | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      nodes: text,
      seed: text,
      degree: text,
      minutes: text,
      latency: text,
      loss: text,
      changes: text,
      restarts: text,
      partition: text,
      forgeries: text,
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const defaults = defaultSimOptions;
  const latency = /^([\d.]+)-([\d.]+)$/.exec(values.latency ?? "");
  if (values.latency !== undefined && latency === null) {
    throw new RangeError(`--latency is "${values.latency}", not like 1-60`);
  }
  return {
    nodes: number("nodes", values.nodes, defaults.nodes, 2, 20_000, true),
    seed: values.seed ?? defaults.seed,
    degree: number("degree", values.degree, defaults.degree, 1, 64),
    minutes: number("minutes", values.minutes, defaults.minutes, 1, 1_440),
    latencyMs: latency === null ? defaults.latencyMs : [
      number("latency", latency[1], 0, 0.1, 5_000),
      number("latency", latency[2], 0, Number(latency[1]), 5_000),
    ],
    loss: number("loss", values.loss, defaults.loss * 100, 0, 50) / 100,
    changes: number("changes", values.changes, defaults.changes, 0, 1_000, true),
    restarts: number("restarts", values.restarts, defaults.restarts, 0, 1_000, true),
    partitionSeconds: number("partition", values.partition, defaults.partitionSeconds, 0, 3_600),
    forgeriesPerSecond: number(
      "forgeries",
      values.forgeries,
      defaults.forgeriesPerSecond,
      0,
      1_000,
    ),
  };
}

function number(
  name: string,
  text: string | undefined,
  fallback: number,
  low: number,
  high: number,
  whole = false,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text === "" || !(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
    const kind = whole ? "a whole number" : "a number";
    throw new RangeError(`--${name} is "${text}", not ${kind} from ${low} to ${high}`);
  }
  return value;
}
