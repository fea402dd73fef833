import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/types.ts";
import { PluginError } from "./errors.ts";
import { expandPermissions } from "./expand_permissions.ts";
import { hostMetrics } from "./host_metrics.ts";
import { InlineInstance } from "./inline_instance.ts";
import { defaultInstanceLimits, type InstanceLimits, type PluginInstance } from "./instance.ts";
import { loadOrder } from "./order.ts";
import { preparePluginDir } from "./plugin_dir.ts";
import {
  parseApiReply,
  parseHealthReply,
  parseMetricsReply,
  parseNodeIdReply,
  parseServiceReply,
  type PluginHealth,
} from "./replies.ts";
import { refuseConflicts } from "./refuse_conflicts.ts";
import { defaultRestartPolicy, type RestartPolicy, SupervisedPlugin } from "./supervised_plugin.ts";
import type {
  HostServices,
  JoinConversation,
  Json,
  LogFn,
  NetworkConfigNews,
  PluginApiRoute,
  PluginManifest,
  PluginMetric,
  PluginStatus,
} from "./types.ts";
import { WorkerInstance } from "./worker_instance.ts";

export interface PluginHostOptions {
  /** The enabled plugins by name. */
  readonly manifests: Readonly<Record<string, PluginManifest>>;
  readonly configs: Readonly<Record<string, Json>>;
  /** The node's data directory, absolute; each plugin gets a directory of its name in it. */
  readonly dataDir: string;
  /** What module specifiers in manifests are relative to. */
  readonly baseUrl: string;
  /** What core offers. Calls to services of other plugins do not reach it. */
  readonly services: HostServices;
  readonly log: LogFn;
  /** Overrides every manifest's `isolate`. */
  readonly mode?: "worker" | "inline";
  /** Services `services.call` answers by itself. */
  readonly coreServices?: readonly string[];
  /** Installed plugins, enabled or not, so that an unmet need can name the one to enable. */
  readonly available?: Readonly<Record<string, PluginManifest>>;
  /** @default 5000 */
  readonly hookTimeoutMs?: number;
  readonly limits?: Partial<InstanceLimits>;
  readonly restart?: Partial<RestartPolicy>;
}

/**
 * Runs the enabled plugins and is the one face core sees of them all. Whatever a plugin does in its Worker, short of exhausting
 * the memory of the whole process, costs nobody but itself and its callers.
 */
export class PluginHost implements AsyncDisposable {
  readonly #options: PluginHostOptions;
  readonly #limits: InstanceLimits;
  /** In load order. */
  readonly #plugins = new Map<string, SupervisedPlugin>();
  #disposed: Promise<void> | undefined;

  /**
   * Loads the plugins, providers first. One that fails to start is reported and tried again; it keeps nobody from starting.
   * @throws {PluginError} PLUGIN_NEED_UNMET, PLUGIN_CYCLE, PLUGIN_CONFLICT, PLUGIN_MANIFEST: mistakes of the operator
   */
  static async start(options: PluginHostOptions): Promise<PluginHost> {
    const { manifests, coreServices = [], available = {} } = options;
    const order = loadOrder(manifests, { coreServices, available });
    const host = new PluginHost(options, order);
    for (const plugin of host.#plugins.values()) await plugin.start();
    return host;
  }

  private constructor(options: PluginHostOptions, order: readonly string[]) {
    this.#options = options;
    this.#limits = {
      ...defaultInstanceLimits,
      ...(options.hookTimeoutMs !== undefined && { hookTimeoutMs: options.hookTimeoutMs }),
      ...options.limits,
    };
    for (const name of order) {
      const manifest = options.manifests[name]!;
      const config = options.configs[name] ?? null;
      this.#permissions(name, manifest, config);
      this.#plugins.set(
        name,
        new SupervisedPlugin({
          name,
          log: options.log,
          restart: { ...defaultRestartPolicy, ...options.restart },
          launch: (current) => this.#launch(name, manifest, current),
          admit: (surface) => refuseConflicts(name, surface, this.#plugins.values()),
        }, config),
      );
    }
  }

  /** Tells every plugin that asks for it; none is waited for. */
  linkUp(peer: { readonly id: NodeId; readonly kind: string }): void {
    this.#tell("onLinkUp", "linkUp", peer);
  }

  /** Tells every plugin that asks for it; none is waited for. */
  linkDown(peer: { readonly id: NodeId; readonly reason: string }): void {
    this.#tell("onLinkDown", "linkDown", peer);
  }

  /** Tells every plugin that asks for it; none is waited for. */
  networkConfigChanged(news: NetworkConfigNews): void {
    this.#tell("onNetworkConfig", "networkConfig", news);
  }

  /**
   * Takes over new configurations. A plugin whose permissions depend on what changed, or which has no `onConfig`, or which is
   * down, is started anew; the others are told.
   */
  async configChanged(configs: Readonly<Record<string, Json>>): Promise<void> {
    for (const plugin of this.#plugins.values()) {
      const config = configs[plugin.name] ?? null;
      if (JSON.stringify(config) === JSON.stringify(plugin.config)) continue;
      const manifest = this.#options.manifests[plugin.name]!;
      const before = JSON.stringify(this.#permissions(plugin.name, manifest, plugin.config));
      const after = JSON.stringify(this.#permissions(plugin.name, manifest, config));
      const { running } = plugin;
      if (
        running === undefined || before !== after || !running.surface.hooks.includes("onConfig")
      ) {
        await plugin.restartWith(config);
        continue;
      }
      plugin.keepConfig(config);
      try {
        await running.invoke("config", config);
      } catch (error) {
        this.#report(plugin.name, "onConfig", error);
      }
    }
  }

  /** Hands a stream to the plugin that serves its protocol. False: nobody does, and the stream is still the caller's. */
  handleStream(protocol: string, stream: ByteStream, from: IncomingStream): Promise<boolean> {
    for (const { name, running } of this.#plugins.values()) {
      if (!running?.surface.protocols.includes(protocol)) continue;
      running.stream(protocol, stream, from).catch((error: unknown) => {
        this.#report(name, protocol, error);
        stream.reset();
      });
      return Promise.resolve(true);
    }
    return Promise.resolve(false);
  }

  /** Protocols somebody serves right now. */
  protocols(): readonly string[] {
    return [...this.#plugins.values()].flatMap(({ running }) => running?.surface.protocols ?? []);
  }

  /** False: no plugin takes joins. @throws {PulseError} the conversation failed */
  async join(conversation: JoinConversation): Promise<boolean> {
    for (const { running } of this.#plugins.values()) {
      if (!running?.surface.hooks.includes("join")) continue;
      await running.join(conversation);
      return true;
    }
    return false;
  }

  /** The first answer in load order; a plugin that fails is passed over. */
  async resolveName(name: string): Promise<NodeId | undefined> {
    for (const { name: plugin, running } of this.#plugins.values()) {
      if (!running?.surface.hooks.includes("resolveName")) continue;
      try {
        const id = parseNodeIdReply(plugin, await running.invoke("resolveName", name));
        if (id !== undefined) return id;
      } catch (error) {
        this.#report(plugin, "resolveName", error);
      }
    }
    return undefined;
  }

  /**
   * Calls a service a plugin provides.
   * @throws {PulseError} PLUGIN_SERVICE_UNKNOWN, PLUGIN_METHOD_UNKNOWN, PLUGIN_DOWN, PLUGIN_DEADLINE; or what the plugin threw
   */
  async call(service: string, method: string, argument: Json): Promise<Json> {
    const provider = this.#providerOf(service);
    if (provider === undefined) {
      throw new PluginError("PLUGIN_SERVICE_UNKNOWN", `No plugin provides the service ${service}`, {
        service,
      });
    }
    const answer = await provider.instance.invoke("service", service, method, argument);
    return parseServiceReply(provider.name, answer);
  }

  /** Whether a plugin that runs provides the service. */
  provides(service: string): boolean {
    return this.#providerOf(service)?.running !== undefined;
  }

  /** Whether this plugin is enabled and up. */
  runs(name: string): boolean {
    return this.#plugins.get(name)?.running !== undefined;
  }

  /** Routes of all plugins, of those that are down too: their calls fail with PLUGIN_DOWN. */
  apiRoutes(): readonly PluginApiRoute[] {
    return [...this.#plugins.values()].flatMap((plugin) =>
      (plugin.surface?.routes ?? []).map((route, index) => ({
        ...route,
        handle: async (request) =>
          parseApiReply(plugin.name, await plugin.instance.invoke("api", index, request)),
      } satisfies PluginApiRoute))
    );
  }

  /** Samples of all plugins, and the host's own about them. */
  async metrics(): Promise<readonly PluginMetric[]> {
    const given = await Promise.all(
      [...this.#plugins.values()].map(async ({ name, running }) => {
        if (!running?.surface.hooks.includes("metrics")) return [];
        try {
          return parseMetricsReply(name, await running.invoke("metrics"));
        } catch (error) {
          this.#report(name, "metrics", error);
          return [];
        }
      }),
    );
    return [...hostMetrics([...this.#plugins.values()]), ...given.flat()];
  }

  /** What each plugin says of itself; one that is down or does not answer is not well. */
  async health(): Promise<readonly (PluginHealth & { readonly plugin: string })[]> {
    return await Promise.all([...this.#plugins.values()].map(async (plugin) => {
      const { name, running } = plugin;
      if (running === undefined) return { plugin: name, ok: false, detail: plugin.status.detail };
      if (!running.surface.hooks.includes("health")) {
        return { plugin: name, ok: true, detail: "running" };
      }
      try {
        return { plugin: name, ...parseHealthReply(name, await running.invoke("health")) };
      } catch (error) {
        return { plugin: name, ok: false, detail: errorText(error) };
      }
    }));
  }

  status(): PluginStatus[] {
    return [...this.#plugins.values()].map((plugin) => plugin.status);
  }

  /** Stops the plugins, those loaded last first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= (async () => {
      for (const plugin of [...this.#plugins.values()].reverse()) await plugin.stop();
    })();
    return this.#disposed;
  }

  #permissions(name: string, manifest: PluginManifest, config: Json) {
    const dataDir = join(this.#options.dataDir, name);
    const programDir = fileURLToPath(new URL(".", this.#options.baseUrl));
    return expandPermissions(manifest.permissions, { name, dataDir, config, programDir });
  }

  async #launch(name: string, manifest: PluginManifest, config: Json): Promise<PluginInstance> {
    const { baseUrl, log, mode, services } = this.#options;
    const options = {
      name,
      manifest,
      moduleUrl: new URL(manifest.module, baseUrl).href,
      config,
      permissions: this.#permissions(name, manifest, config),
      dataDir: await preparePluginDir(this.#options.dataDir, name, manifest),
      services: {
        ...services,
        call: (service: string, method: string, argument: Json) =>
          this.#providerOf(service) === undefined
            ? services.call(service, method, argument)
            : this.call(service, method, argument),
      },
      log,
      limits: this.#limits,
    };
    return (mode ?? manifest.isolate) === "inline"
      ? await InlineInstance.start(options)
      : await WorkerInstance.start(options);
  }

  #providerOf(service: string): SupervisedPlugin | undefined {
    for (const plugin of this.#plugins.values()) {
      if (this.#options.manifests[plugin.name]?.provides?.includes(service)) return plugin;
    }
    return undefined;
  }

  #tell(
    hook: "onLinkUp" | "onLinkDown" | "onNetworkConfig",
    method: "linkUp" | "linkDown" | "networkConfig",
    argument: unknown,
  ): void {
    for (const { name, running } of this.#plugins.values()) {
      if (!running?.surface.hooks.includes(hook)) continue;
      running.invoke(method, argument).catch((error: unknown) => this.#report(name, hook, error));
    }
  }

  #report(plugin: string, hook: string, error: unknown): void {
    this.#options.log("warn", "plugin failed a call", { plugin, hook, error: errorText(error) });
  }
}
