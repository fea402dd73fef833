import { cpuUsage } from "node:process";
import { defaultSimOptions, type SimOptions } from "../simulation/options.ts";
import { worst } from "../simulation/report.ts";
import { Scenario, type SimResult } from "../simulation/scenario.ts";
import type { BenchGroup, RunningBench } from "./bench.ts";

const options: SimOptions = {
  ...defaultSimOptions,
  nodes: 100,
  minutes: 1,
  changes: 3,
  restarts: 0,
  partitionSeconds: 0,
};

interface Run {
  readonly result: SimResult;
  readonly cpuSeconds: number;
}

const runs: Run[] = [];

/** The mesh whose seed is the round's number: every bench of the group looks at the same ones. */
function simulate(round: number): Run {
  const known = runs[round];
  if (known !== undefined) return known;
  const before = cpuUsage();
  const result = new Scenario({ ...options, seed: `${round}` }).run();
  const { user, system } = cpuUsage(before);
  const run = { result, cpuSeconds: (user + system) / 1e6 };
  runs[round] = run;
  return run;
}

function start(figure: (run: Run) => number): () => Promise<RunningBench> {
  return () => {
    let rounds = 0;
    return Promise.resolve({
      round: () => Promise.resolve(figure(simulate(rounds++))),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  };
}

/** What gossip costs and how fast it is, in virtual time: all but the processor time is the same on every machine. */
export const gossipBenches: readonly BenchGroup[] = [{
  title: `Gossip: ${options.nodes} nodes in virtual time, up to 2 % loss on every link`,
  rounds: 3,
  benches: [
    {
      name: "gossip-change",
      title: "until a change is known to every node, slowest",
      unit: "s",
      target: 5,
      start: start(({ result }) => worst(result.changes) ?? Infinity),
    },
    {
      name: "gossip-full",
      title: "sending every table over every link, per node and 10 s",
      unit: "KB",
      start: start(({ result }) => result.steady.fullPushBytes / 1e3),
    },
    {
      name: "gossip-delta",
      title: "what is sent while nothing happens, per node and 10 s",
      unit: "KB",
      against: { name: "gossip-full" },
      start: start(({ result }) => result.steady.deltaBytes / 1e3),
    },
    {
      name: "gossip-ratio",
      title: "the latter in percent of the former",
      unit: "%",
      target: 10,
      start: start(({ result }) => result.steady.ratio * 100),
    },
    {
      name: "sim",
      title: "processor time of the simulation",
      unit: "s",
      start: start(({ cpuSeconds }) => cpuSeconds),
    },
  ],
}];
