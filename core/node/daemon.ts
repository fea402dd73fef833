import { join } from "node:path";
import { z } from "zod";
import { systemClock } from "../clock/clock.ts";
import { allowsLocalPort, type DaemonConfig } from "../config/mod.ts";
import { ApiKeyStore } from "../control/api_key_store.ts";
import { serveNetwork } from "../control/network_server.ts";
import { serveControl } from "../control/server.ts";
import { TunnelPorts } from "../control/tunnel_ports.ts";
import { serveTunnels } from "../control/tunnel_server.ts";
import {
  dataFiles,
  type HealthReport,
  type HealthWarning,
  type NodeControl,
  type PermissionProbe,
  type StatusReport,
} from "../control/types.ts";
import { errorCode, errorText, PulseError } from "../errors/mod.ts";
import {
  type Credentials,
  loadCredentials,
  loadOrCreateNodeKey,
  type NodeKey,
} from "../identity/mod.ts";
import { commandProtocol } from "../commands/mod.ts";
import { nodeServerName } from "../identity/types.ts";
import { probePermissions } from "../launch/self_probe.ts";
import { PluginHost } from "../plugin/mod.ts";
import type { HostServices, Json, PluginApiRoute } from "../plugin/types.ts";
import type { HistoryControl } from "../history/types.ts";
import type { Logger } from "../log/mod.ts";
import { version } from "../version.ts";
import { CertificateKeeper } from "./certificate_keeper.ts";
import { callCoreService, coreServices } from "./core_services.ts";
import { dataPlaneCapability, parityCapability } from "./data_plane_view.ts";
import { enabledPlugins } from "./enabled_plugins.ts";
import { healthReport } from "./health_report.ts";
import { makeHostServices } from "./host_services.ts";
import { formatHostPort, isLoopbackIp, parseHostPort } from "../address/mod.ts";
import { serveJoin } from "./join_gate.ts";
import { expositionText, nodeSamples, uncleanNames } from "../metrics/mod.ts";
import { metricsInput } from "./metrics.ts";
import type { NetworkConfigStorage } from "./network_config.ts";
import { loadNetworkConfig, saveNetworkConfig } from "./network_config_file.ts";
import { configProblems, configStatus } from "./network_config_status.ts";
import { Node } from "./node.ts";
import { NodeHistory } from "./node_history.ts";
import { openToCa } from "./open_to_ca.ts";
import { OwnRevocations } from "./own_revocations.ts";
import { loadPeers, savePeers } from "./peers_store.ts";
import { RemoteCommands } from "./remote_commands.ts";
import { applyRemoteSettings } from "./remote_settings.ts";
import { reserveSequences, sequencesPerReservation } from "./sequence_store.ts";
import { scribeProtocol, ScribeRequest } from "./scribe_request.ts";
import { datagramsProtocol } from "./session_datagrams.ts";
import { sleep } from "./sleep.ts";
import { certificateStatus, peerStatuses, selfStatus } from "./status.ts";
import { healthWarnings } from "./status_warnings.ts";

/** Peers are remembered and sequences reserved this often, and for the first time this soon. */
const housekeepingMs = { first: 5_000, then: 60_000 };

/** The node the CA has granted the role of the scribe. */
const grantedScribe = z.object({ scribeId: z.string().nullable() });

/** One pulse process: plugins, the node once it has joined, the control sockets, and the order of their coming and going. */
export class Daemon implements NodeControl, AsyncDisposable {
  readonly #config: DaemonConfig;
  readonly #log: Logger;
  readonly #key: NodeKey;
  readonly #plugins: PluginHost;
  readonly #certificates: CertificateKeeper;
  readonly #resources = new AsyncDisposableStack();
  readonly #stop = new AbortController();
  readonly #startedAt = systemClock.now();
  readonly #services: HostServices;
  readonly #history: NodeHistory;
  readonly #revocations: OwnRevocations;
  readonly #apiKeys: ApiKeyStore;
  readonly #tunnelPorts = new TunnelPorts(() => systemClock.now());
  #node: Node | undefined;
  #restartWanted = false;
  #reservedUpTo = 0;
  #joinError: string | undefined;
  #apiError: string | undefined;
  #scribe: ScribeRequest | undefined;

  /** Everything that can be had before the network is joined: the key, the plugins, the certificate if there is one. */
  static async start(config: DaemonConfig, log: Logger): Promise<Daemon> {
    const key = await loadOrCreateNodeKey(join(config.dataDir, dataFiles.key));
    const started: { daemon?: Daemon } = {};
    const history = new NodeHistory({
      dataDir: config.dataDir,
      self: key.id,
      clock: systemClock,
      log: log.child("history"),
      node: () => started.daemon?.node,
      warnings: () => started.daemon?.warnings() ?? [],
    });
    const services = makeHostServices({
      id: key.id,
      network: config.network,
      node: () => started.daemon?.node,
      call: (service, method, argument) => {
        if (coreServices.includes(service)) {
          const call = { service, method, argument };
          return callCoreService(started.daemon?.node, call, systemClock.now());
        }
        if (started.daemon === undefined) {
          throw new PulseError("PLUGIN_TOO_EARLY", "The node is still starting");
        }
        return started.daemon.#plugins.call(service, method, argument);
      },
      emit: (type, fields) => {
        if (type !== "audit") log.child("event")("info", "event", { event: type, ...fields });
        history.event(type, fields);
        if (type === "node_revoked") started.daemon?.followRevocations();
      },
    });
    const { manifests, configs } = enabledPlugins(config);
    const plugins = await PluginHost.start({
      manifests,
      configs,
      dataDir: config.dataDir,
      baseUrl: new URL("../../", import.meta.url).href,
      services,
      coreServices,
      log: log.child("plugin"),
    });
    return started.daemon = new Daemon(config, log, key, plugins, services, history);
  }

  private constructor(
    config: DaemonConfig,
    log: Logger,
    key: NodeKey,
    plugins: PluginHost,
    services: HostServices,
    history: NodeHistory,
  ) {
    this.#config = config;
    this.#log = log;
    this.#key = key;
    this.#plugins = plugins;
    this.#services = services;
    this.#history = this.#resources.use(history);
    this.#resources.use(plugins);
    this.#apiKeys = new ApiKeyStore(
      join(config.dataDir, dataFiles.apiKeys),
      () => systemClock.wall(),
    );
    this.#certificates = new CertificateKeeper({
      key,
      config,
      log: log.child("certificate"),
      signSelf: config.ca
        ? (csr) => plugins.call("ca", "signSelf", { csr: csr.toBase64() })
        : undefined,
      openToCa: (protocol, signal) => openToCa(this.#node, protocol, signal),
      emit: (type, fields) => history.event(type, fields),
    });
    this.#revocations = this.#resources.use(
      new OwnRevocations({
        self: key.id,
        ask: config.ca ? () => plugins.call("ca", "revoked", null) : undefined,
        apply: async (ids) => await this.#node?.revoke(ids),
        log,
      }),
    );
  }

  /** The CA of this process has news. */
  followRevocations(): void {
    this.#revocations.follow();
  }

  get node(): Node | undefined {
    return this.#node;
  }

  /** Runs until `stop()` or the signal. @throws {PulseError} the node cannot start */
  async run(signal: AbortSignal): Promise<void> {
    // Told to end while it was starting: an abort that has been is not heard again.
    if (signal.aborted) return;
    signal.addEventListener("abort", () => this.#stop.abort(), { once: true });
    this.#history.event("startup", { detail: version });
    const stored = await loadCredentials(this.#config.dataDir, {
      now: systemClock.wall(),
      ...(this.#config.networkGiven && { network: this.#config.network }),
      ignoreDates: this.#config.join !== null,
    });
    const credentials = stored ?? await this.#certificates.first();
    if (credentials !== null) await this.#startNode(credentials);
    await this.#serveLocal();
    if (credentials === null) {
      const joined = await this.#certificates.joinUntilDone(this.#stop.signal, (error) => {
        this.#joinError = errorText(error);
      });
      if (joined === null) return;
      this.#joinError = undefined;
      await this.#startNode(joined);
    }
    try {
      await this.#serveApi();
    } catch (error) {
      // A scribe whose usual address is taken is still a scribe; an address somebody asked for is a promise.
      if (this.#config.apiRequired || errorCode(error) !== "API_LISTEN") throw error;
      this.#apiError = `${errorText(error)}; name another address with --api-listen`;
      this.#log("warn", "the API does not listen", { error: this.#apiError });
    }
    await Promise.all([
      this.#housekeeping(),
      this.#keepCertificate(),
      this.#askForScribe(),
      this.#history.run(this.#stop.signal),
    ]);
  }

  async #startNode(credentials: Credentials): Promise<void> {
    const config = this.#config;
    const peersPath = join(config.dataDir, dataFiles.peers);
    const sequence = await this.#reserve();
    const revoked = await this.#revocations.list();
    const remote = this.#remoteCommands(credentials.certificate.network);
    const networkConfig = await this.#storedConfig();
    const capabilities = () => this.#capabilities();
    this.#node = await Node.start({
      network: credentials.certificate.network,
      credentials,
      listen: parseHostPort(config.listen),
      advertise: typeof config.advertise === "string"
        ? config.advertise
        : config.advertise.map(parseHostPort),
      interfaces: interfaceAddresses(),
      peers: this.#configuredPeers().map(parseHostPort),
      remembered: config.relayOnly ? [] : await loadPeers(peersPath),
      dialLearned: !config.relayOnly,
      targets: {
        any: !config.relayOnly,
        allowsLocalPort: (port) => allowsLocalPort(config.allowLocal, port),
        opened: (port, origin) => this.#tunnelPorts.open(port, origin),
      },
      quic: config.quic,
      websocket: config.websocket,
      // Asked for with every report: a plugin may fail or come back.
      get capabilities() {
        return capabilities();
      },
      services: config.services,
      clock: systemClock,
      log: this.#log.child("node"),
      revoked,
      networkConfig,
      initialSequence: sequence,
      hooks: {
        networkConfig: (news) => this.#plugins.networkConfigChanged(news),
        linkUp: (peer, kind) => {
          this.#history.event("link_up", { node: peer, detail: kind });
          this.#plugins.linkUp({ id: peer, kind });
        },
        linkDown: (peer, reason) => {
          this.#history.event("link_down", { node: peer, detail: reason });
          this.#plugins.linkDown({ id: peer, reason });
        },
        protocols: () => [
          commandProtocol,
          datagramsProtocol,
          ...this.#plugins.protocols(),
          ...this.#history.protocols,
        ],
        handleStream: async (protocol, stream, from) => {
          if (protocol === commandProtocol) {
            await remote.serve(stream, from);
            return true;
          }
          if (protocol === datagramsProtocol) {
            // Only for this process itself: nobody else lends its neighbours datagrams.
            if (from.origin.id !== this.#key.id) return false;
            await this.#node?.datagrams.serve(stream);
            return true;
          }
          return await this.#history.handle(protocol, stream, from) ||
            await this.#plugins.handleStream(protocol, stream, from);
        },
        join: (conversation) =>
          serveJoin(conversation, {
            local: (c) => this.#plugins.join(c),
            openToCa: (signal) => openToCa(this.#node, "ca.join", signal),
            log: this.#log.child("join"),
          }),
      },
    });
    this.#resources.use(this.#node);
    this.#plugins.networkConfigChanged(this.#node.networkConfig.news);
    this.#log("info", "node is up", {
      id: this.#node.id,
      network: credentials.certificate.network,
      listen: formatHostPort(this.#node.listeners.address),
    });
  }

  /** What the scribe may tell this node. */
  #remoteCommands(network: string): RemoteCommands {
    return new RemoteCommands({
      self: this.#key.id,
      network,
      scribe: async () => {
        const current = await this.#services.call("netconfig", "current", null);
        return grantedScribe.parse(current).scribeId;
      },
      restart: () => this.restart(),
      configure: (settings) =>
        applyRemoteSettings(settings, { setLogLevel: (level) => this.#log.setLevel(level) }),
      now: () => systemClock.wall(),
      log: this.#log.child("remote"),
    });
  }

  async #storedConfig(): Promise<NetworkConfigStorage> {
    const { dataDir } = this.#config;
    const { problems, ...stored } = await loadNetworkConfig(dataDir);
    for (const problem of problems) this.#log("error", "network config", { error: problem });
    return { stored, save: (state) => saveNetworkConfig(dataDir, state) };
  }

  /** Peers named by the operator, and the relay the node joined through. */
  #configuredPeers(): string[] {
    return [...new Set([...this.#config.peers, ...this.#certificates.relays])];
  }

  #capabilities(): string[] {
    const config = this.#config;
    const capabilities = ["relay"];
    if (config.ca) capabilities.push("ca");
    if (config.scribe) capabilities.push("scribe");
    if (config.socks !== null) capabilities.push("socks");
    if (config.dns !== null) capabilities.push("dns");
    if (config.tun !== null && this.#plugins.runs("tun-fec")) {
      capabilities.push(dataPlaneCapability);
      if (config.tun.fec) capabilities.push(parityCapability);
    }
    return capabilities;
  }

  async #serveLocal(): Promise<void> {
    const { dataDir, tcp } = this.#config;
    this.#resources.use(
      await serveTunnels({
        socketPath: join(dataDir, dataFiles.tunnelSocket),
        tcp: tcp === null
          ? undefined
          : { address: tcp, tokenPath: join(dataDir, dataFiles.localToken) },
        openStream: (request, options) => this.#services.openStream(request, options),
        log: this.#log.child("tunnel"),
      }),
    );
    this.#resources.use(
      await serveControl({
        socketPath: join(dataDir, dataFiles.controlSocket),
        control: this,
        apiKeys: this.#apiKeys,
        log: this.#log.child("control"),
        signal: this.#stop.signal,
      }),
    );
  }

  /** After the node, whose certificate it shows. */
  async #serveApi(): Promise<void> {
    const { api, apiHosts } = this.#config;
    const node = this.#node;
    if (api === null || node === undefined) return;
    const listen = parseHostPort(api);
    const { id, network } = node.credentials.certificate;
    const certificate = () => {
      const { key, certificate } = node.credentials;
      return { key: key.privateKeyPem, cert: certificate.pem };
    };
    this.#resources.use(
      await serveNetwork({
        listen,
        // Its certificate's own name: nobody can register names below .internal.
        names: [...apiHosts, nodeServerName(id, network)],
        certificate: isLoopbackIp(listen.host) ? null : certificate,
        control: this,
        apiKeys: this.#apiKeys,
        tunnels: this.#tunnelPorts,
        log: this.#log.child("api"),
        now: () => systemClock.now(),
        signal: this.#stop.signal,
      }),
    );
  }

  async #reserve(): Promise<number> {
    const first = await reserveSequences(join(this.#config.dataDir, dataFiles.state));
    this.#reservedUpTo = first + sequencesPerReservation;
    return first;
  }

  async #housekeeping(): Promise<void> {
    const path = join(this.#config.dataDir, dataFiles.peers);
    let wait = housekeepingMs.first;
    while (!this.#stop.signal.aborted) {
      await sleep(wait, this.#stop.signal);
      wait = housekeepingMs.then;
      const node = this.#node;
      if (node === undefined) continue;
      try {
        while (node.sequence > this.#reservedUpTo - sequencesPerReservation / 2) {
          await this.#reserve();
        }
        if (!this.#config.relayOnly) await savePeers(path, node.remembered());
      } catch (error) {
        // A full disk costs what would have been remembered, never the mesh.
        this.#log("warn", "state could not be saved", { error: errorText(error) });
      }
    }
  }

  async #keepCertificate(): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    await this.#certificates.keep(node, this.#stop.signal);
  }

  async #askForScribe(): Promise<void> {
    const node = this.#node;
    if (node === undefined || !this.#config.scribe) return;
    this.#scribe = new ScribeRequest({
      self: node.id,
      grant: () => node.networkConfig.state.grant?.grant,
      openToCa: (signal) => openToCa(node, scribeProtocol, signal),
      log: this.#log.child("scribe"),
    });
    await this.#scribe.run(this.#stop.signal);
  }

  status(): StatusReport {
    const node = this.#node;
    const now = systemClock.now();
    const certificate = node === undefined
      ? null
      : certificateStatus(node.credentials, systemClock.wall());
    return {
      self: selfStatus({
        id: this.#key.id,
        network: node?.credentials.certificate.network ?? this.#config.network,
        credentials: node?.credentials,
        node,
        startedAt: this.#startedAt,
        now,
        capabilities: this.#capabilities(),
        dataDir: this.#config.dataDir,
      }),
      certificate,
      peers: node === undefined ? [] : peerStatuses(node, now),
      plugins: this.#plugins.status(),
      config: node === undefined ? null : configStatus(node.networkConfig.state),
      warnings: this.warnings(),
    };
  }

  /** What an operator should know. */
  warnings(): HealthWarning[] {
    const node = this.#node;
    const health = healthWarnings({
      certificate: node === undefined
        ? null
        : certificateStatus(node.credentials, systemClock.wall()),
      linked: node?.linkedPeers().length ?? 0,
      ca: this.#config.ca,
      known: node?.remembered().length ?? 0,
      configured: this.#configuredPeers().length,
      failures: node?.dialFailures ?? new Map(),
      plugins: this.#plugins.status(),
      joinError: this.#joinError,
      renewalError: this.#certificates.renewalError,
      config: node === undefined ? [] : configProblems(node.networkConfig.state),
      scribeError: this.#scribe?.error,
      apiError: this.#apiError,
    });
    return [...health, ...this.#history.history.warnings()];
  }

  get history(): HistoryControl {
    return this.#history.history;
  }

  async health(): Promise<HealthReport> {
    return healthReport(this.status().warnings, await this.#plugins.health());
  }

  probePermissions(): Promise<readonly PermissionProbe[]> {
    return probePermissions({ dataDir: this.#config.dataDir });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Stops; whoever started the daemon is to start it again. */
  restart(): void {
    this.#restartWanted = true;
    this.#stop.abort();
  }

  /** Whether it stops to be started again. */
  get restartWanted(): boolean {
    return this.#restartWanted;
  }

  pluginRoutes(): readonly PluginApiRoute[] {
    return this.#plugins.apiRoutes();
  }

  async metrics(names: "all" | "clean"): Promise<string> {
    const node = this.#node;
    const own = node === undefined ? [] : nodeSamples(metricsInput(node, systemClock.wall()));
    const samples = [...own, ...await this.#plugins.metrics()];
    if (this.#plugins.provides("metrics")) {
      try {
        const argument = { names, samples } as unknown as Json;
        return z.string().parse(await this.#plugins.call("metrics", "render", argument));
      } catch (error) {
        this.#log("warn", "the metrics plugin failed a scrape", { error: errorText(error) });
      }
    }
    return expositionText(
      names === "all" ? samples : samples.filter(({ name }) => !uncleanNames.has(name)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#history.event("shutdown", {});
    const node = this.#node;
    if (node !== undefined && !this.#config.relayOnly) {
      await savePeers(join(this.#config.dataDir, dataFiles.peers), node.remembered()).catch(
        (error: unknown) =>
          this.#log("warn", "peers could not be saved", { error: errorText(error) }),
      );
    }
    await this.#resources.disposeAsync();
  }
}

/** Empty where the process may not look, as on a relay; it then advertises what it is told to. */
function interfaceAddresses(): string[] {
  try {
    return Deno.networkInterfaces().map((entry) => entry.address);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}
