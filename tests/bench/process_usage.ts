import { readFileSync } from "node:fs";
import { residentBytes } from "../lab/memory.ts";
import { descendants } from "../lab/processes.ts";

/** What a process and everything it started use, now. */
export interface ProcessUsage {
  /** Resident memory in MB (10^6 bytes); pages that two of the processes share count in both. */
  readonly residentMb: number;
  /** User and system time since each process started. */
  readonly cpuSeconds: number;
}

/** USER_HZ: 100 on every Linux that Deno runs on. */
const ticksPerSecond = 100;

/** Adds up a process and its descendants. @throws {Error} one of them has ended */
export function treeUsage(pid: number): ProcessUsage {
  const pids = [pid, ...descendants(pid)];
  return {
    residentMb: pids.reduce((sum, each) => sum + residentBytes(each) / 1e6, 0),
    cpuSeconds: pids.reduce((sum, each) => sum + cpuSeconds(each), 0),
  };
}

/** Seconds of processor time that processes and their descendants spend on some work, for each GB (10^9 bytes) of it. */
export async function cpuPerGb(
  pids: readonly number[],
  bytes: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const spent = () => pids.reduce((sum, pid) => sum + treeUsage(pid).cpuSeconds, 0);
  const before = spent();
  await work();
  return (spent() - before) / (bytes / 1e9);
}

function cpuSeconds(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, field 2 of proc(5), may hold spaces and brackets; after its last bracket come field 3 and the rest.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ").map(Number);
  const [utime = NaN, stime = NaN] = fields.slice(14 - 3, 16 - 3);
  return (utime + stime) / ticksPerSecond;
}
