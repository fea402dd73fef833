import { isRunning } from "../../../lab/processes.ts";
import { eventually } from "../../../lab/wait.ts";
import type { RunningTunnel, TunnelSite } from "../tunnel.ts";

/** A tunnel of these processes, once packets come through it. */
export async function answering(
  { lab }: TunnelSite,
  address: string,
  children: readonly Deno.ChildProcess[],
): Promise<RunningTunnel> {
  await eventually(
    async () => (await lab.run("a", ["ping", "-c1", "-W1", address])).code === 0,
    { what: `${address} answers through the tunnel` },
  );
  return {
    address,
    pids: children.map(({ pid }) => pid),
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        if (isRunning(child.pid)) child.kill("SIGKILL");
        await child.status;
      }
    },
  };
}
