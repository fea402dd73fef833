import { join } from "node:path";
import { z } from "zod";
import { systemClock } from "../clock/clock.ts";
import { allowsLocalPort, type DaemonConfig } from "../config/mod.ts";
import { ApiKeyStore } from "../control/api_key_store.ts";
import { serveNetwork } from "../control/network_server.ts";
import { serveControl } from "../control/server.ts";
import { withSharedTokens } from "../control/token_routes.ts";
import { TunnelPorts } from "../control/tunnel_ports.ts";
import { serveTunnels } from "../control/tunnel_server.ts";
import {
  dataFiles,
  type ExitsReport,
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
import { nodeServerName } from "../identity/types.ts";
import { probePermissions } from "../launch/self_probe.ts";
import { PluginHost } from "../plugin/mod.ts";
import type { HostServices, PluginApiRoute } from "../plugin/types.ts";
import type { HistoryControl } from "../history/types.ts";
import type { Logger } from "../log/mod.ts";
import { version } from "../version.ts";
import { CertificateKeeper } from "./certificate_keeper.ts";
import { caRollStorage } from "./ca_roll_file.ts";
import { callCoreService, coreServices } from "./core_services.ts";
import { exitWarnings } from "./exit_warnings.ts";
import { enabledPlugins } from "./enabled_plugins.ts";
import { healthReport } from "./health_report.ts";
import { makeHostServices } from "./host_services.ts";
import { interfaceAddresses } from "./interface_addresses.ts";
import { formatHostPort, isLoopbackIp, parseHostPort } from "../address/mod.ts";
import { scrape } from "./scrape.ts";
import type { NetworkConfigStorage } from "./network_config.ts";
import { loadNetworkConfig, saveNetworkConfig } from "./network_config_file.ts";
import { configProblems, configStatus } from "./network_config_status.ts";
import { Node } from "./node.ts";
import { NodeHistory } from "./node_history.ts";
import { nodeHooks } from "./node_hooks.ts";
import { openToCa } from "./open_to_ca.ts";
import { ownCapabilities } from "./own_capabilities.ts";
import { isOwnProxy } from "./own_proxy.ts";
import { OwnRevocations } from "./own_revocations.ts";
import { RemoteCommands } from "./remote_commands.ts";
import { applyRemoteSettings } from "./remote_settings.ts";
import { scribeProtocol, ScribeRequest } from "./scribe_request.ts";
import { StateKeeper } from "./state_keeper.ts";
import { certificateStatus, peerStatuses, selfStatus } from "./status.ts";
import { rollState } from "./roll_state.ts";
import { healthWarnings } from "./status_warnings.ts";

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
  readonly #state: StateKeeper;
  readonly #tunnelPorts = new TunnelPorts(() => systemClock.now());
  #node: Node | undefined;
  #restartWanted = false;
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
    this.#state = new StateKeeper({ dataDir: config.dataDir, remembers: !config.relayOnly, log });
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
      this.#state.run(() => this.#node, this.#stop.signal),
      this.#keepCertificate(),
      this.#askForScribe(),
      this.#history.run(this.#stop.signal),
    ]);
  }

  async #startNode(credentials: Credentials): Promise<void> {
    const config = this.#config;
    const sequence = await this.#state.reserve();
    const revoked = await this.#revocations.list();
    const networkConfig = await this.#storedConfig();
    const proxy = config.socks === null ? null : parseHostPort(config.socks);
    const capabilities = () => this.#capabilities();
    const interfaces = interfaceAddresses(() => performance.now());
    const trust = await caRollStorage(config.dataDir, (error) => {
      this.#log("error", "ca.roll cannot be read", { error: errorText(error) });
    });
    this.#node = await Node.start({
      network: credentials.certificate.network,
      credentials,
      listen: parseHostPort(config.listen),
      advertise: typeof config.advertise === "string"
        ? config.advertise
        : config.advertise.map(parseHostPort),
      interfaces,
      peers: this.#configuredPeers().map(parseHostPort),
      remembered: await this.#state.peers(),
      dialLearned: !config.relayOnly,
      targets: {
        any: !config.relayOnly,
        allowsLocalPort: (port) => allowsLocalPort(config.allowLocal, port),
        isOwnProxy: (host, port) => isOwnProxy(proxy, { host, port }, interfaces),
        opened: (port, origin) => this.#tunnelPorts.open(port, origin),
      },
      quic: config.quic,
      websocket: config.websocket,
      // Asked for with every report: a plugin may fail or come back.
      get capabilities() {
        return capabilities();
      },
      services: config.services,
      exit: config.exit,
      clock: systemClock,
      log: this.#log.child("node"),
      revoked,
      networkConfig,
      trust,
      initialSequence: sequence,
      hooks: nodeHooks({
        self: this.#key.id,
        node: () => this.#node,
        plugins: this.#plugins,
        history: this.#history,
        certificates: this.#certificates,
        remote: this.#remoteCommands(credentials.certificate.network),
        log: this.#log,
      }),
    });
    this.#resources.use(this.#node);
    this.#plugins.networkConfigChanged(this.#node.networkConfig.news);
    // An old disk is an event even if the first neighbour makes up for it.
    if (configProblems(this.#node.networkConfig.state).length > 0) this.#history.watchWarnings();
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
    return ownCapabilities(this.#config, (plugin) => this.#plugins.runs(plugin));
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
      roll: node === undefined ? "none" : rollState(node),
      config: node === undefined ? [] : configProblems(node.networkConfig.state),
      scribeError: this.#scribe?.error,
      apiError: this.#apiError,
    });
    const exits = node === undefined ? [] : exitWarnings(this.exits(), node.id);
    return [...health, ...exits, ...this.#history.history.warnings()];
  }

  get history(): HistoryControl {
    return this.#history.history;
  }

  async health(): Promise<HealthReport> {
    return healthReport(this.status().warnings, await this.#plugins.health());
  }

  exits(): ExitsReport {
    const exits = this.#node?.exits;
    return {
      routes: [...exits?.list() ?? []],
      use: this.#config.exit.use,
      killswitch: this.#config.exit.killswitch,
    };
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
    return withSharedTokens(this.#plugins.apiRoutes());
  }

  async metrics(names: "all" | "clean"): Promise<string> {
    return await scrape(names, {
      node: this.#node,
      plugins: this.#plugins,
      log: this.#log,
      now: systemClock.wall(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#history.event("shutdown", {});
    const node = this.#node;
    if (node !== undefined) await this.#state.save(node);
    await this.#resources.disposeAsync();
  }
}
