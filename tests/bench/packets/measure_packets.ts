import type { Lab } from "../../lab/namespaces.ts";
import { treeUsage } from "../process_usage.ts";
import type { Iperf } from "./iperf.ts";
import { pingTimes, type RoundTrips } from "./ping.ts";
import type { RunningTunnel } from "./tunnel.ts";

const seconds = 2;
/** Datagrams a second that are offered, as long as nearly all of them arrive. */
const offers = [5_000, 20_000, 50_000, 100_000, 140_000, 200_000, 300_000];
const fineLoss = 0.01;
const datagram = 1200;
const smallDatagram = 64;

/** What one tunnel gives. */
export interface PacketNumbers {
  /** Gbit/s: one stream, one back, four, four back. */
  readonly tcp: readonly number[];
  /** Datagrams of 1200 bytes a second that arrive while not more than 1 % is lost. */
  readonly datagrams: number;
  /** Datagrams of 64 bytes a second that arrive of a flood. */
  readonly smallDatagrams: number;
  readonly idle: RoundTrips;
  readonly loaded: RoundTrips;
  /** Of the tunnel's processes at all ends together, by one stream; undefined where it has none. */
  readonly cpuPerGigabyte: number | undefined;
  readonly residentMb: number | undefined;
}

export async function measurePackets(
  lab: Lab,
  iperf: Iperf,
  { address, pids }: RunningTunnel,
): Promise<PacketNumbers> {
  const ping = (count: number, interval: number) => pingTimes(lab, "a", address, count, interval);
  // Warm: the first stream compiles, resolves and grows.
  await iperf.tcp(address, 1, 1);
  const idle = await ping(500, 0.004);
  const before = cpu(pids);
  const one = await iperf.tcp(address, seconds, 1);
  const spent = cpu(pids) - before;
  const oneBack = await iperf.tcp(address, seconds, 1, "back");
  const [four, loaded] = await Promise.all([
    iperf.tcp(address, seconds, 4),
    ping(seconds * 50, 0.02),
  ]);
  const fourBack = await iperf.tcp(address, seconds, 4, "back");
  const datagrams = await fullRate(iperf, address);
  const small = await iperf.udp(address, 1, smallDatagram, 0);
  return {
    tcp: [one, oneBack, four, fourBack].map(({ gigabitsPerSecond }) => gigabitsPerSecond),
    datagrams,
    smallDatagrams: small.perSecond,
    idle,
    loaded,
    cpuPerGigabyte: pids.length === 0 ? undefined : spent / (one.bytes / 1e9),
    residentMb: pids.length === 0
      ? undefined
      : pids.reduce((sum, pid) => sum + treeUsage(pid).residentMb, 0),
  };
}

/** The highest rate of those offered at which nearly everything arrives; 0: not even the lowest. */
async function fullRate(iperf: Iperf, address: string): Promise<number> {
  let full = 0;
  for (const offer of offers) {
    const { perSecond, lost } = await iperf.udp(address, 1, datagram, offer);
    // Not so many were sent, either: the sender has no more.
    if (lost > fineLoss || perSecond < full) break;
    full = perSecond;
  }
  return full;
}

function cpu(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + treeUsage(pid).cpuSeconds, 0);
}
