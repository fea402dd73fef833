import { join } from "node:path";
import { isLoopbackIp, parseHostPort } from "../address/mod.ts";
import { systemClock } from "../clock/clock.ts";
import type { DaemonConfig } from "../config/mod.ts";
import type { ApiKeyStore } from "../control/api_key_store.ts";
import { serveNetwork } from "../control/network_server.ts";
import { serveControl } from "../control/server.ts";
import type { TunnelPorts } from "../control/tunnel_ports.ts";
import { serveTunnels } from "../control/tunnel_server.ts";
import { dataFiles, type NodeControl } from "../control/types.ts";
import { nodeServerName } from "../identity/types.ts";
import type { Logger } from "../log/mod.ts";
import type { HostServices } from "../plugin/types.ts";
import type { Node } from "./node.ts";

export interface DaemonDoorsOptions {
  readonly config: DaemonConfig;
  readonly control: NodeControl;
  readonly services: HostServices;
  readonly apiKeys: ApiKeyStore;
  readonly tunnelPorts: TunnelPorts;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** For programs of this machine: streams into the mesh, and control over the daemon. */
export async function openLocalDoors(options: DaemonDoorsOptions): Promise<AsyncDisposable> {
  const { config: { dataDir, tcp }, control, services, apiKeys, log, signal } = options;
  await using doors = new AsyncDisposableStack();
  doors.use(
    await serveTunnels({
      socketPath: join(dataDir, dataFiles.tunnelSocket),
      tcp: tcp === null
        ? undefined
        : { address: tcp, tokenPath: join(dataDir, dataFiles.localToken) },
      openStream: (request, options) => services.openStream(request, options),
      log: log.child("tunnel"),
    }),
  );
  doors.use(
    await serveControl({
      socketPath: join(dataDir, dataFiles.controlSocket),
      control,
      apiKeys,
      log: log.child("control"),
      signal,
    }),
  );
  return doors.move();
}

/** The API on the network, for the node whose certificate it shows. @throws {PulseError} API_LISTEN */
export async function openApiDoor(
  options: DaemonDoorsOptions,
  address: string,
  node: Node,
): Promise<AsyncDisposable> {
  const { config: { apiHosts }, control, apiKeys, tunnelPorts, log, signal } = options;
  const listen = parseHostPort(address);
  const { id, network } = node.credentials.certificate;
  const certificate = () => {
    const { key, certificate } = node.credentials;
    return { key: key.privateKeyPem, cert: certificate.pem };
  };
  return await serveNetwork({
    listen,
    // Its certificate's own name: nobody can register names below .internal.
    names: [...apiHosts, nodeServerName(id, network)],
    certificate: isLoopbackIp(listen.host) ? null : certificate,
    control,
    apiKeys,
    tunnels: tunnelPorts,
    log: log.child("api"),
    now: () => systemClock.now(),
    signal,
  });
}
