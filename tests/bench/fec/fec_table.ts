import { layOut } from "../table.ts";
import type { DatagramFlow } from "./datagram_flow.ts";
import type { FecSite } from "./fec_site.ts";
import { measureDatagrams, measurePings, measureTcp, type PathLoss } from "./measure_fec.ts";

/** What may stay lost, in percent, of so much. */
const targets = new Map([[0, 0], [0.01, 0.1], [0.05, 0.2], [0.1, 0.5]]);
const mostOverhead = 33;
const mostAddedMs = 0.1;
const leastSpeedUp = 3;
/** Mean run of losses where they come in bursts. */
const burst = 4;

const head = ["", "without", "with parity", "overhead", "repaired", "target", ""];
const percent = (share: number, places = 2) => `${(share * 100).toFixed(places)} %`;
const verdict = (reached: boolean) => reached ? "reached" : "missed";

/** What parity does for datagrams and TCP, and what it costs, one row each. */
export async function fecTable(
  site: FecSite,
  flow: DatagramFlow,
  progress: (text: string) => void,
): Promise<string> {
  const rows = [head];
  for (const path of paths()) {
    progress(`${percent(path.loss, 0)}, bursts of ${path.burst}`);
    rows.push(await datagramRow(site, flow, path));
  }
  progress("ping");
  const { off, on } = await measurePings(site);
  rows.push([
    "ping p50, nothing lost",
    ...[off, on].map((time) => `${time.toFixed(3)} ms`),
    ...["", "", `<= ${mostAddedMs} ms more`, verdict(on - off <= mostAddedMs)],
  ]);
  progress("TCP");
  rows.push(await tcpRow(site, flow));
  return layOut(rows);
}

function paths(): PathLoss[] {
  const some = [...targets.keys()].filter((loss) => loss > 0);
  return [
    { loss: 0, burst: 1 },
    ...some.map((loss) => ({ loss, burst: 1 })),
    ...some.map((loss) => ({ loss, burst })),
  ];
}

async function datagramRow(site: FecSite, flow: DatagramFlow, path: PathLoss): Promise<string[]> {
  const without = await measureDatagrams(site, flow, path, false);
  const { residual, overhead, repaired } = await measureDatagrams(site, flow, path, true);
  const most = targets.get(path.loss)!;
  const kind = path.burst === 1 ? "at random" : `in bursts of ${path.burst}`;
  return [
    path.loss === 0 ? "lost of datagrams, 0 %" : `... ${percent(path.loss, 0)} ${kind}`,
    percent(without.residual),
    percent(residual),
    percent(overhead, 0),
    path.loss === 0 ? "" : percent(repaired, 0),
    `<= ${most} %, <= ${mostOverhead} %`,
    verdict(residual * 100 <= most && overhead * 100 <= mostOverhead),
  ];
}

async function tcpRow(site: FecSite, flow: DatagramFlow): Promise<string[]> {
  const path = { loss: 0.01, burst: 1 };
  const without = await measureTcp(site, flow, path, false);
  const { megabits, overhead, repaired } = await measureTcp(site, flow, path, true);
  return [
    "TCP (cubic), 1 % at random, 50 ms",
    ...[without.megabits, megabits].map((rate) => `${rate.toFixed(1)} Mbit/s`),
    percent(overhead, 0),
    percent(repaired, 0),
    `>= ${leastSpeedUp} x`,
    verdict(megabits >= leastSpeedUp * without.megabits),
  ];
}
