import process from "node:process";

const pollMs = 20;

/** Whether the process has ended within the time. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return true;
}

/** A zombie has ended: its parent has only not asked yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM means that it lives and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    // The name in parentheses may hold anything, so the state is looked for behind the last one.
    return /^\) Z/.test(Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*(?=\) )/s, ""));
  } catch {
    // No /proc, or the process ended just now: the next look at it decides.
    return false;
  }
}
