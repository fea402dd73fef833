import { errorText, PulseError } from "../errors/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/types.ts";
import { BufferPool } from "./buffer_pool.ts";
import { PluginError } from "./errors.ts";
import { GuardedServices } from "./guarded_services.ts";
import {
  type InstanceMethod,
  type InstanceOptions,
  type PluginInstance,
  timeoutOf,
} from "./instance.ts";
import { Liveness } from "./liveness.ts";
import { PluginRequests } from "./plugin_requests.ts";
import { RpcPeer } from "./rpc_peer.ts";
import { StreamSet } from "./stream_set.ts";
import { parseSurface, type PluginSurface } from "./surface.ts";
import type { JoinConversation } from "./types.ts";
import { toWireError } from "./wire_error.ts";

/** A plugin in its own Worker, with the permissions of its manifest and no other. */
export class WorkerInstance implements PluginInstance {
  readonly #options: InstanceOptions;
  readonly #worker: Worker;
  readonly #rpc: RpcPeer;
  readonly #requests: PluginRequests;
  readonly #streams: StreamSet;
  readonly #ready = Promise.withResolvers<void>();
  readonly #crashed = Promise.withResolvers<PluginError>();
  readonly #liveness: Liveness;
  #surface: PluginSurface | undefined;
  #over = false;

  /** Starts the Worker, loads the module and runs the factory. @throws {PulseError} */
  static async start(options: InstanceOptions): Promise<WorkerInstance> {
    const instance = new WorkerInstance(options);
    try {
      await instance.#load();
      return instance;
    } catch (error) {
      instance.#end(asPluginError(error));
      throw error;
    }
  }

  private constructor(options: InstanceOptions) {
    const { name, limits } = options;
    this.#options = options;
    this.#streams = new StreamSet(name, limits.maxStreams);
    const services = new GuardedServices({ ...options, streams: this.#streams });
    this.#requests = new PluginRequests(services, this.#streams, new BufferPool());
    this.#worker = makeWorker(options);
    this.#rpc = new RpcPeer({
      send: (message, ports) => this.#worker.postMessage(message, ports),
      handle: (method, args, ports, signal) => {
        // A plugin has no stream to hand over by itself.
        for (const port of ports) port.close();
        return this.#requests.handle(method, args, signal);
      },
      notified: (method, args) => {
        if (method === "ready") this.#ready.resolve();
        else this.#requests.notified(method, args);
      },
      maxInFlight: limits.maxCallsInFlight,
      label: `plugin ${name}`,
    });
    this.#worker.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#worker.onmessageerror = () => this.#crash(malformed(name));
    this.#worker.onerror = (event) => {
      // The default is to end the process with it.
      event.preventDefault();
      this.#crash(
        new PluginError("PLUGIN_FAILED", `plugin ${name} failed: ${event.message}`, {
          plugin: name,
        }),
      );
    };
    this.#liveness = new Liveness({
      ping: (timeoutMs) => this.#ping(timeoutMs),
      intervalMs: limits.heartbeatMs,
      timeoutMs: limits.hookTimeoutMs,
      onDead: () =>
        this.#crash(
          new PluginError(
            "PLUGIN_DEADLINE",
            `plugin ${name} gave no sign of life for ${limits.hookTimeoutMs} ms: it loops or has closed itself`,
            { plugin: name },
          ),
        ),
    });
  }

  get surface(): PluginSurface {
    return this.#surface!;
  }

  get crashed(): Promise<PluginError> {
    return this.#crashed.promise;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async invoke(method: InstanceMethod, ...args: readonly unknown[]): Promise<unknown> {
    return await this.#call(method, args, timeoutOf(method, this.#options.limits));
  }

  async stream(protocol: string, stream: ByteStream, from: IncomingStream): Promise<void> {
    await this.#streams.add(() => stream);
    const ports = [this.#requests.carry(stream)];
    await this.#call("stream", [protocol, from], this.#options.limits.hookTimeoutMs, ports);
  }

  async join(conversation: JoinConversation): Promise<void> {
    const { joinTimeoutMs } = this.#options.limits;
    await this.#requests.withJoin(
      conversation,
      (id) => this.#call("join", [id, conversation.remoteAddress], joinTimeoutMs),
    );
  }

  async stop(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { name, log, limits } = this.#options;
    try {
      await this.#rpc.call("stop", [], { timeoutMs: limits.hookTimeoutMs });
    } catch (error) {
      const { code, message } = toWireError(error);
      log("warn", "plugin did not stop in good order", { plugin: name, code, error: message });
    }
    this.#end(new PluginError("PLUGIN_DOWN", `plugin ${name} is not running`, { plugin: name }));
  }

  async #load(): Promise<void> {
    const { name, manifest, config, dataDir, limits } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const text = `plugin ${name} did not load within ${limits.loadTimeoutMs} ms`;
      reject(new PluginError("PLUGIN_DEADLINE", text, { plugin: name }));
    }, limits.loadTimeoutMs);
    try {
      const crashed = this.crashed.then((error) => Promise.reject(error));
      await Promise.race([this.#ready.promise, crashed, late]);
    } finally {
      clearTimeout(timer);
    }
    const surface = await this.#call("create", [{ name, config, dataDir }], limits.loadTimeoutMs);
    this.#surface = parseSurface(name, surface, manifest);
    this.#liveness.watch();
  }

  async #call(
    method: string,
    args: readonly unknown[],
    timeoutMs: number,
    ports: readonly MessagePort[] = [],
  ): Promise<unknown> {
    try {
      return await this.#rpc.call(method, args, { timeoutMs, ports });
    } catch (error) {
      // Slow or looping? Only the second is a reason to end it.
      if (error instanceof PulseError && error.code === "PLUGIN_DEADLINE") this.#liveness.check();
      throw error;
    }
  }

  async #ping(timeoutMs: number): Promise<boolean> {
    try {
      await this.#rpc.call("ping", [], { timeoutMs });
      return true;
    } catch (error) {
      // Any other error came from a living plugin, or says that we know already.
      return !(error instanceof PulseError && error.code === "PLUGIN_DEADLINE");
    }
  }

  #receive(data: unknown): void {
    try {
      this.#rpc.receive(data);
    } catch (error) {
      this.#crash(asPluginError(error));
    }
  }

  #crash(error: PluginError): void {
    // While it is being stopped nobody needs to know, but nobody needs to wait either.
    if (this.#over) return this.#rpc.close(error);
    this.#end(error);
    this.#crashed.resolve(error);
  }

  #end(error: PluginError): void {
    this.#over = true;
    this.#liveness[Symbol.dispose]();
    this.#worker.terminate();
    this.#rpc.close(
      new PluginError(
        "PLUGIN_DOWN",
        `plugin ${this.#options.name} is not running: ${error.message}`,
        { plugin: this.#options.name },
      ),
    );
    this.#requests.end();
  }
}

/**
 * The entry is a `data:` module which imports this folder's code and the plugin's: modules reachable from a Worker's entry load with
 * the host's permission to read, so the plugin itself needs none, not even for its own files.
 */
function makeWorker(options: InstanceOptions): Worker {
  const { name, permissions, moduleUrl } = options;
  const main = new URL("./worker_main.ts", import.meta.url).href;
  const entry = `import { runPlugin } from ${JSON.stringify(main)};
import * as plugin from ${JSON.stringify(moduleUrl)};
runPlugin(plugin.default);`;
  try {
    return new Worker(`data:text/javascript,${encodeURIComponent(entry)}`, {
      type: "module",
      name,
      deno: { permissions: { ...permissions } },
    });
  } catch (cause) {
    throw new PluginError(
      "PLUGIN_PERMISSION",
      `plugin ${name} asks for a permission this process does not have itself: ${errorText(cause)}`,
      { plugin: name },
      cause,
    );
  }
}

function malformed(name: string): PluginError {
  return new PluginError("PLUGIN_PROTOCOL", `plugin ${name} sent a malformed message`);
}

function asPluginError(error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  return new PluginError("PLUGIN_FAILED", errorText(error), {}, error);
}
