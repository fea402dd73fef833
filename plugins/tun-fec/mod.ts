/** IP packets to and from the mesh, by an interface of their own. @module */
import type { PluginFactory, PluginHooks } from "../../core/plugin/types.ts";
import { parseConfig } from "./config.ts";
import { PacketTunnel } from "./control/packet_tunnel.ts";
import { systemParts } from "./control/system_parts.ts";

/** The plugin's factory; see `parseConfig` for its configuration. */
const tunFec: PluginFactory = ({ config: given, host, log }): PluginHooks => {
  const config = parseConfig(given);
  const tunnel = new PacketTunnel({
    config,
    parts: systemParts(config, log),
    host,
    log,
    failed: (error) => {
      // Nobody waits for it: thrown where nobody catches, it ends this life of the plugin, and the host begins another.
      setTimeout(() => {
        throw error;
      });
    },
  });
  return {
    onStart: () => tunnel.start(),
    onLinkUp: () => tunnel.meshChanged(),
    onLinkDown: () => tunnel.meshChanged(),
    onNetworkConfig: () => tunnel.meshChanged(),
    streams: Object.fromEntries(PacketTunnel.protocols.map((protocol) => [
      protocol,
      (stream, from) => tunnel.serve(protocol, stream, from.origin.id),
    ])),
    metrics: () => tunnel.metrics(),
    health: () => tunnel.health(),
    onStop: () => tunnel[Symbol.asyncDispose](),
  };
};

export default tunFec;
