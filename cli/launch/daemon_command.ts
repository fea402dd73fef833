import { fileURLToPath } from "node:url";
import type { DaemonConfig } from "../../core/config/daemon_config.ts";
import { computeDenoFlags } from "../../core/launch/flags.ts";
import { enabledPlugins } from "../../core/node/enabled_plugins.ts";
import { joinPlan } from "../../core/node/join_plan.ts";

const projectDir = fileURLToPath(new URL("../../", import.meta.url));
const entry = fileURLToPath(new URL("../../core/node/main.ts", import.meta.url));

/**
 * The command that runs the daemon with exactly the permissions its configuration needs. Everything else it has to know it reads from
 * stdin, because every user of a machine can see a command line.
 */
export function daemonCommand(config: DaemonConfig): { program: string; args: string[] } {
  const { listen, socks, dns, tcp, api } = config;
  const doors = [listen, socks, dns?.listen ?? null, tcp, api].filter((address) =>
    address !== null
  );
  const flags = computeDenoFlags({
    dataDir: config.dataDir,
    projectDir,
    listen: doors,
    peers: [...new Set([...config.peers, ...relaysOf(config)])],
    relayOnly: config.relayOnly,
    plugins: Object.values(enabledPlugins(config).manifests),
  });
  return { program: Deno.execPath(), args: ["run", "--quiet", ...flags, entry] };
}

/** Where a node joins it also links. A wish that cannot be understood is the daemon's to report, in its own words. */
function relaysOf({ join, token, network, networkGiven }: DaemonConfig): readonly string[] {
  return joinPlan({ join, token, network, networkGiven })?.relays ?? [];
}
