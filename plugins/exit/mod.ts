/** Packets that leave the mesh: forwarding on an exit, routing on who uses one, and everything as it was afterwards. @module */
import { join } from "node:path";
import type { PluginFactory, PluginHooks } from "../../core/plugin/types.ts";
import { Libc, nativeFacts } from "../../ffi/mod.ts";
import { parseConfig } from "./config.ts";
import { ExitDriver } from "./exit_driver.ts";
import { HostState } from "./host_changes/host_state.ts";
import { Journal, journalName } from "./host_changes/journal.ts";
import { LinuxHost } from "./host_changes/linux_host.ts";
import { lookAtHost } from "./look_at_host.ts";

/** The plugin's factory; see `parseConfig` for its configuration. */
const exit: PluginFactory = ({ config: given, dataDir, host, log }): PluginHooks => {
  const config = parseConfig(given);
  const resources = new AsyncDisposableStack();
  let driver: ExitDriver | undefined;
  return {
    onStart() {
      // The packet tunnel says what is missing, and without it there are no packets to lead anywhere.
      if (!nativeFacts().netAdmin) return;
      const libc = resources.use(Libc.open());
      const machine = resources.use(new LinuxHost(libc));
      const state = new HostState(machine, new Journal(join(dataDir, journalName)));
      driver = resources.use(
        new ExitDriver({
          call: (service, method, argument) => host.call(service, method, argument),
          state,
          look: () => lookAtHost(machine, config.interface, log),
          log,
        }),
      );
    },
    onLinkUp: () => driver?.soon(),
    onLinkDown: () => driver?.soon(),
    onNetworkConfig: () => driver?.soon(),
    health: () => {
      if (driver === undefined) return { ok: true, detail: "idle: there is no packet tunnel" };
      const { own, active } = driver.ranges;
      return driver.failure === ""
        ? { ok: true, detail: `leads to ${own} ranges, ${active} are reached through others` }
        : { ok: false, detail: driver.failure };
    },
    onStop: () => resources.disposeAsync(),
  };
};

export default exit;
