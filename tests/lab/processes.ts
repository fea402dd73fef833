import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "./wait.ts";

/** Whether a process runs. A zombie does not: only its parent has not looked yet. */
export function isRunning(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X";
}

/** Everything the process started, directly or not, that runs now. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = statOf(Number(name))?.parent;
    if (parent === undefined) continue;
    const siblings = children.get(parent) ?? [];
    siblings.push(Number(name));
    children.set(parent, siblings);
  }
  const found: number[] = [];
  const waiting = [pid];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const child of children.get(at) ?? []) {
      found.push(child);
      waiting.push(child);
    }
  }
  return found.filter(isRunning);
}

/** SIGKILL; a process that has ended already is fine. */
export function kill9(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (isRunning(pid)) throw error;
  }
}

/** Resolves when all of them have ended. @throws {Error} not within the time */
export async function allEnded(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  await eventually(() => !pids.some(isRunning), {
    what: `processes ${pids.join(", ")} end`,
    timeoutMs,
    intervalMs: 10,
  });
}

function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, field 2, may hold spaces and brackets; after its last bracket come state and parent.
    const [state = "", parent = ""] = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    // Ended: nothing is known of it any more.
    return undefined;
  }
}
