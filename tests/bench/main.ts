/**
 * `deno task bench [names]`: measures everything, or what is named, and prints ratios of numbers from this same run.
 *
 * Exit code 0 also when a target is missed: how fast a machine is says nothing about whether the program is right.
 * @module
 */
import { type BenchGroup, runGroup } from "./bench.ts";
import { daemonBenches } from "./daemon_benches.ts";
import { dnsBenches } from "./dns_benches.ts";
import { fecBenches } from "./fec_benches.ts";
import { ffiBenches } from "./ffi_benches.ts";
import { floodBenches } from "./flood_benches.ts";
import { gossipBenches } from "./gossip_benches.ts";
import { linkBenches } from "./link_benches.ts";
import { loopBenches } from "./loop_benches.ts";
import { packetBenches } from "./packet_benches.ts";
import { metricsBenches } from "./metrics_benches.ts";
import { policyBenches } from "./policy_benches.ts";
import { socksBenches } from "./socks_benches.ts";
import { starBenches } from "./star_benches.ts";
import { resultTable } from "./table.ts";

const groups: readonly BenchGroup[] = [
  ...linkBenches,
  ...socksBenches,
  ...dnsBenches,
  ...daemonBenches,
  ...gossipBenches,
  ...policyBenches,
  ...ffiBenches,
  ...loopBenches,
  ...metricsBenches,
  ...starBenches,
  ...floodBenches,
];

function progress(text: string): void {
  if (Deno.stderr.isTerminal()) console.error(`  ${text}`);
}

async function main(): Promise<number> {
  const names = new Set(Deno.args);
  const known = groups.flatMap((group) => group.benches.map((bench) => bench.name));
  known.push(packetBenches.name, fecBenches.name);
  const unknown = [...names].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`no bench is called ${unknown.join(", ")}; there are: ${known.join(", ")}`);
    return 2;
  }
  const { hardwareConcurrency } = navigator;
  console.log(
    `Deno ${Deno.version.deno}, ${hardwareConcurrency} cores. Medians; units of 10^9 bits.`,
  );
  for (const group of groups) {
    const chosen = group.benches.filter((bench) => names.size === 0 || names.has(bench.name));
    if (chosen.length === 0) continue;
    console.log(`\n${group.title}`);
    const results = await runGroup(group, (bench) => chosen.includes(bench), progress);
    console.log(resultTable(results));
  }
  if (names.size === 0 || names.has(packetBenches.name)) {
    console.log(
      "\nPackets; TCP in Gbit/s, CPU and RSS of the tunnel's processes at all ends together",
    );
    console.log(await packetBenches.run(progress));
  }
  if (names.size === 0 || names.has(fecBenches.name)) {
    console.log(
      "\nParity against loss, over a wire in user space; 8000 datagrams of 1200 B a second",
    );
    console.log(await fecBenches.run(progress));
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main());
