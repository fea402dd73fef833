import { parseHostPort } from "../address/mod.ts";
import { systemClock } from "../clock/clock.ts";
import { allowsLocalPort, type DaemonConfig } from "../config/mod.ts";
import type { TunnelPorts } from "../control/tunnel_ports.ts";
import { errorText } from "../errors/mod.ts";
import type { Credentials } from "../identity/mod.ts";
import type { Logger } from "../log/mod.ts";
import { caRollStorage } from "./ca_roll_file.ts";
import { interfaceAddresses } from "./interface_addresses.ts";
import type { NetworkConfigStorage } from "./network_config.ts";
import { loadNetworkConfig, saveNetworkConfig } from "./network_config_file.ts";
import { Node } from "./node.ts";
import type { NodeHooks } from "./node_options.ts";
import { isOwnProxy } from "./own_proxy.ts";
import type { OwnRevocations } from "./own_revocations.ts";
import type { StateKeeper } from "./state_keeper.ts";

export interface StartNodeOptions {
  readonly config: DaemonConfig;
  readonly credentials: Credentials;
  /** Peers named by the operator, and the relay the node joined through. */
  readonly peers: readonly string[];
  capabilities(): string[];
  readonly state: StateKeeper;
  readonly revocations: OwnRevocations;
  readonly tunnelPorts: TunnelPorts;
  readonly hooks: NodeHooks;
  readonly log: Logger;
}

/** Starts a daemon's node with what its configuration says and its disk remembers. */
export async function startNode(options: StartNodeOptions): Promise<Node> {
  const { config, credentials, state, revocations, tunnelPorts, hooks, log } = options;
  const sequence = await state.reserve();
  const revoked = await revocations.list();
  const networkConfig = await storedConfig(config.dataDir, log);
  const proxy = config.socks === null ? null : parseHostPort(config.socks);
  const interfaces = interfaceAddresses(() => performance.now());
  const trust = await caRollStorage(config.dataDir, (error) => {
    log("error", "ca.roll cannot be read", { error: errorText(error) });
  });
  return await Node.start({
    network: credentials.certificate.network,
    credentials,
    listen: parseHostPort(config.listen),
    advertise: typeof config.advertise === "string"
      ? config.advertise
      : config.advertise.map(parseHostPort),
    interfaces,
    peers: options.peers.map(parseHostPort),
    remembered: await state.peers(),
    dialLearned: !config.relayOnly,
    targets: {
      any: !config.relayOnly,
      allowsLocalPort: (port) => allowsLocalPort(config.allowLocal, port),
      isOwnProxy: (host, port) => isOwnProxy(proxy, { host, port }, interfaces),
      opened: (port, origin) => tunnelPorts.open(port, origin),
    },
    quic: config.quic,
    websocket: config.websocket,
    // Asked for with every report: a plugin may fail or come back.
    get capabilities() {
      return options.capabilities();
    },
    services: config.services,
    exit: config.exit,
    clock: systemClock,
    log: log.child("node"),
    revoked,
    networkConfig,
    trust,
    initialSequence: sequence,
    hooks,
  });
}

async function storedConfig(dataDir: string, log: Logger): Promise<NetworkConfigStorage> {
  const { problems, ...stored } = await loadNetworkConfig(dataDir);
  for (const problem of problems) log("error", "network config", { error: problem });
  return { stored, save: (state) => saveNetworkConfig(dataDir, state) };
}
