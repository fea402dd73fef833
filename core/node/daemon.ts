import { join } from "node:path";
import { formatHostPort } from "../address/mod.ts";
import { systemClock } from "../clock/clock.ts";
import type { DaemonConfig } from "../config/mod.ts";
import { ApiKeyStore } from "../control/api_key_store.ts";
import { withSharedTokens } from "../control/token_routes.ts";
import { TunnelPorts } from "../control/tunnel_ports.ts";
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
import { probePermissions } from "../launch/self_probe.ts";
import { PluginHost } from "../plugin/mod.ts";
import type { HostServices, PluginApiRoute } from "../plugin/types.ts";
import type { HistoryControl } from "../history/types.ts";
import type { Logger } from "../log/mod.ts";
import { version } from "../version.ts";
import { CertificateKeeper } from "./certificate_keeper.ts";
import { callCoreService, coreServices } from "./core_services.ts";
import { type DaemonDoorsOptions, openApiDoor, openLocalDoors } from "./daemon_doors.ts";
import { DaemonReports } from "./daemon_reports.ts";
import { enabledPlugins } from "./enabled_plugins.ts";
import { healthReport } from "./health_report.ts";
import { makeHostServices } from "./host_services.ts";
import { scrape } from "./scrape.ts";
import { configProblems } from "./network_config_status.ts";
import type { Node } from "./node.ts";
import { NodeHistory } from "./node_history.ts";
import { nodeHooks } from "./node_hooks.ts";
import { openToCa } from "./open_to_ca.ts";
import { ownCapabilities } from "./own_capabilities.ts";
import { OwnRevocations } from "./own_revocations.ts";
import { scribeCommands } from "./scribe_commands.ts";
import { scribeProtocol, ScribeRequest } from "./scribe_request.ts";
import { startNode } from "./start_node.ts";
import { StateKeeper } from "./state_keeper.ts";

/** One pulse process: plugins, the node once it has joined, the control sockets, and the order of their coming and going. */
export class Daemon implements NodeControl, AsyncDisposable {
  readonly #config: DaemonConfig;
  readonly #log: Logger;
  readonly #key: NodeKey;
  readonly #plugins: PluginHost;
  readonly #certificates: CertificateKeeper;
  readonly #resources = new AsyncDisposableStack();
  readonly #stop = new AbortController();
  readonly #reports: DaemonReports;
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
    this.#reports = new DaemonReports({
      self: key.id,
      config,
      clock: systemClock,
      node: () => this.#node,
      plugins,
      history,
      capabilities: () => this.#capabilities(),
      configuredPeers: () => this.#configuredPeers(),
      troubles: () => ({
        joinError: this.#joinError,
        renewalError: this.#certificates.renewalError,
        scribeError: this.#scribe?.error,
        apiError: this.#apiError,
      }),
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
    const doors: DaemonDoorsOptions = {
      config: this.#config,
      control: this,
      services: this.#services,
      apiKeys: this.#apiKeys,
      tunnelPorts: this.#tunnelPorts,
      log: this.#log,
      signal: this.#stop.signal,
    };
    this.#resources.use(await openLocalDoors(doors));
    if (credentials === null) {
      const joined = await this.#certificates.joinUntilDone(this.#stop.signal, (error) => {
        this.#joinError = errorText(error);
      });
      if (joined === null) return;
      this.#joinError = undefined;
      await this.#startNode(joined);
    }
    await this.#serveApi(doors);
    await Promise.all([
      this.#state.run(() => this.#node, this.#stop.signal),
      this.#keepCertificate(),
      this.#askForScribe(),
      this.#history.run(this.#stop.signal),
    ]);
  }

  async #startNode(credentials: Credentials): Promise<void> {
    const { network } = credentials.certificate;
    this.#node = await startNode({
      config: this.#config,
      credentials,
      peers: this.#configuredPeers(),
      capabilities: () => this.#capabilities(),
      state: this.#state,
      revocations: this.#revocations,
      tunnelPorts: this.#tunnelPorts,
      hooks: nodeHooks({
        self: this.#key.id,
        node: () => this.#node,
        plugins: this.#plugins,
        history: this.#history,
        certificates: this.#certificates,
        remote: scribeCommands({
          self: this.#key.id,
          network,
          services: this.#services,
          restart: () => this.restart(),
          log: this.#log,
        }),
        log: this.#log,
      }),
      log: this.#log,
    });
    this.#resources.use(this.#node);
    this.#plugins.networkConfigChanged(this.#node.networkConfig.news);
    // An old disk is an event even if the first neighbour makes up for it.
    if (configProblems(this.#node.networkConfig.state).length > 0) this.#history.watchWarnings();
    this.#log("info", "node is up", {
      id: this.#node.id,
      network,
      listen: formatHostPort(this.#node.listeners.address),
    });
  }

  /** Peers named by the operator, and the relay the node joined through. */
  #configuredPeers(): string[] {
    return [...new Set([...this.#config.peers, ...this.#certificates.relays])];
  }

  #capabilities(): string[] {
    return ownCapabilities(this.#config, (plugin) => this.#plugins.runs(plugin));
  }

  /** The API needs the node, whose certificate it shows. */
  async #serveApi(doors: DaemonDoorsOptions): Promise<void> {
    const { api } = this.#config;
    if (api === null || this.#node === undefined) return;
    try {
      this.#resources.use(await openApiDoor(doors, api, this.#node));
    } catch (error) {
      // A scribe whose usual address is taken is still a scribe; an address somebody asked for is a promise.
      if (this.#config.apiRequired || errorCode(error) !== "API_LISTEN") throw error;
      this.#apiError = `${errorText(error)}; name another address with --api-listen`;
      this.#log("warn", "the API does not listen", { error: this.#apiError });
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
    return this.#reports.status();
  }

  /** What an operator should know. */
  warnings(): HealthWarning[] {
    return this.#reports.warnings();
  }

  get history(): HistoryControl {
    return this.#history.history;
  }

  async health(): Promise<HealthReport> {
    return healthReport(this.status().warnings, await this.#plugins.health());
  }

  exits(): ExitsReport {
    return this.#reports.exits();
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
