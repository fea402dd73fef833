import { join } from "node:path";
import { systemClock } from "../clock/clock.ts";
import { allowsLocalPort, type DaemonConfig } from "../config/mod.ts";
import { serveControl } from "../control/server.ts";
import { serveTunnels } from "../control/tunnel_server.ts";
import {
  dataFiles,
  type NodeControl,
  type PermissionProbe,
  type StatusReport,
} from "../control/types.ts";
import { errorText, PulseError } from "../errors/mod.ts";
import {
  type Credentials,
  loadCredentials,
  loadOrCreateNodeKey,
  type NodeKey,
} from "../identity/mod.ts";
import { probePermissions } from "../launch/self_probe.ts";
import { PluginHost } from "../plugin/mod.ts";
import type { HostServices, PluginApiRoute } from "../plugin/types.ts";
import type { Logger } from "../log/mod.ts";
import { CertificateKeeper } from "./certificate_keeper.ts";
import { enabledPlugins } from "./enabled_plugins.ts";
import { makeHostServices } from "./host_services.ts";
import { formatHostPort, parseHostPort } from "../address/mod.ts";
import { serveJoin } from "./join_gate.ts";
import { nodeMetrics } from "./metrics.ts";
import { Node } from "./node.ts";
import { openToCa } from "./open_to_ca.ts";
import { OwnRevocations } from "./own_revocations.ts";
import { loadPeers, savePeers } from "./peers_store.ts";
import { prometheusText } from "./prometheus_text.ts";
import { reserveSequences, sequencesPerReservation } from "./sequence_store.ts";
import { sleep } from "./sleep.ts";
import { certificateStatus, peerStatuses, selfStatus } from "./status.ts";
import { healthWarnings } from "./status_warnings.ts";

/** Peers are remembered and sequences reserved this often, and for the first time this soon. */
const housekeepingMs = { first: 5_000, then: 60_000 };

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
  readonly #revocations: OwnRevocations;
  #node: Node | undefined;
  #reservedUpTo = 0;
  #joinError: string | undefined;

  /** Everything that can be had before the network is joined: the key, the plugins, the certificate if there is one. */
  static async start(config: DaemonConfig, log: Logger): Promise<Daemon> {
    const key = await loadOrCreateNodeKey(join(config.dataDir, dataFiles.key));
    const started: { daemon?: Daemon } = {};
    const services = makeHostServices({
      id: key.id,
      network: config.network,
      node: () => started.daemon?.node,
      call: (service, method, argument) => {
        if (started.daemon === undefined) {
          throw new PulseError("PLUGIN_TOO_EARLY", "The node is still starting");
        }
        return started.daemon.#plugins.call(service, method, argument);
      },
      emit: (type, fields) => {
        log.child("event")("info", "event", { event: type, ...fields });
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
      log: log.child("plugin"),
    });
    return started.daemon = new Daemon(config, log, key, plugins, services);
  }

  private constructor(
    config: DaemonConfig,
    log: Logger,
    key: NodeKey,
    plugins: PluginHost,
    services: HostServices,
  ) {
    this.#config = config;
    this.#log = log;
    this.#key = key;
    this.#plugins = plugins;
    this.#services = services;
    this.#resources.use(plugins);
    this.#certificates = new CertificateKeeper({
      key,
      config,
      log: log.child("certificate"),
      signSelf: config.ca
        ? (csr) => plugins.call("ca", "signSelf", { csr: csr.toBase64() })
        : undefined,
      openToCa: (protocol, signal) => openToCa(this.#node, protocol, signal),
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
    await Promise.all([this.#housekeeping(), this.#keepCertificate()]);
  }

  async #startNode(credentials: Credentials): Promise<void> {
    const config = this.#config;
    const peersPath = join(config.dataDir, dataFiles.peers);
    const sequence = await this.#reserve();
    const revoked = await this.#revocations.list();
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
      },
      quic: config.quic,
      websocket: config.websocket,
      capabilities: this.#capabilities(),
      services: config.services,
      clock: systemClock,
      log: this.#log.child("node"),
      revoked,
      initialSequence: sequence,
      hooks: {
        linkUp: (peer, kind) => this.#plugins.linkUp({ id: peer, kind }),
        linkDown: (peer, reason) => this.#plugins.linkDown({ id: peer, reason }),
        protocols: () => this.#plugins.protocols(),
        handleStream: (protocol, stream, from) =>
          this.#plugins.handleStream(protocol, stream, from),
        join: (conversation) =>
          serveJoin(conversation, {
            local: (c) => this.#plugins.join(c),
            openToCa: (signal) => openToCa(this.#node, "ca.join", signal),
            log: this.#log.child("join"),
          }),
      },
    });
    this.#resources.use(this.#node);
    this.#log("info", "node is up", {
      id: this.#node.id,
      network: credentials.certificate.network,
      listen: formatHostPort(this.#node.listeners.address),
    });
  }

  /** Peers named by the operator, and the relay the node joined through. */
  #configuredPeers(): string[] {
    return [...new Set([...this.#config.peers, ...this.#certificates.relays])];
  }

  #capabilities(): string[] {
    const config = this.#config;
    const capabilities = ["relay"];
    if (config.ca) capabilities.push("ca");
    if (config.socks !== null) capabilities.push("socks");
    if (config.dns !== null) capabilities.push("dns");
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
        log: this.#log.child("control"),
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

  status(): StatusReport {
    const node = this.#node;
    const now = systemClock.now();
    const plugins = this.#plugins.status();
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
      plugins,
      warnings: healthWarnings({
        certificate,
        linked: node?.linkedPeers().length ?? 0,
        ca: this.#config.ca,
        known: node?.remembered().length ?? 0,
        configured: this.#configuredPeers().length,
        failures: node?.dialFailures ?? new Map(),
        plugins,
        joinError: this.#joinError,
        renewalError: this.#certificates.renewalError,
      }),
    };
  }

  probePermissions(): Promise<readonly PermissionProbe[]> {
    return probePermissions({ dataDir: this.#config.dataDir });
  }

  stop(): void {
    this.#stop.abort();
  }

  pluginRoutes(): readonly PluginApiRoute[] {
    return this.#plugins.apiRoutes();
  }

  async metrics(): Promise<string> {
    const own = this.#node === undefined ? [] : nodeMetrics(this.#node, systemClock.wall());
    return prometheusText([...own, ...await this.#plugins.metrics()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
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
