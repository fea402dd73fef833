import { z } from "zod";
import { systemClock } from "../clock/clock.ts";
import type { NodeId } from "../identity/mod.ts";
import type { Logger } from "../log/mod.ts";
import type { HostServices } from "../plugin/types.ts";
import { RemoteCommands } from "./remote_commands.ts";
import { applyRemoteSettings } from "./remote_settings.ts";

/** The node the CA has granted the role of the scribe. */
const grantedScribe = z.object({ scribeId: z.string().nullable() });

export interface ScribeCommandsOptions {
  readonly self: NodeId;
  readonly network: string;
  readonly services: Pick<HostServices, "call">;
  restart(): void;
  readonly log: Logger;
}

/** What the scribe may tell a daemon: to restart, and some settings. */
export function scribeCommands(options: ScribeCommandsOptions): RemoteCommands {
  const { self, network, services, log } = options;
  return new RemoteCommands({
    self,
    network,
    scribe: async () =>
      grantedScribe.parse(await services.call("netconfig", "current", null)).scribeId,
    restart: () => options.restart(),
    configure: (settings) =>
      applyRemoteSettings(settings, { setLogLevel: (level) => log.setLevel(level) }),
    now: () => systemClock.wall(),
    log: log.child("remote"),
  });
}
