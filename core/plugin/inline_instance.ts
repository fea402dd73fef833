import { PulseError } from "../errors/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/types.ts";
import { PluginError } from "./errors.ts";
import { GuardedServices } from "./guarded_services.ts";
import {
  type InstanceMethod,
  type InstanceOptions,
  type PluginInstance,
  timeoutOf,
} from "./instance.ts";
import { PluginRuntime } from "./runtime.ts";
import { StreamSet } from "./stream_set.ts";
import { parseSurface, type PluginSurface } from "./surface.ts";
import type { JoinConversation } from "./types.ts";
import { fromWireError, toWireError } from "./wire_error.ts";

/**
 * A plugin in the host's own isolate, behind the same interface: no permissions of its own, no protection from its loops and
 * its unhandled rejections. For tests, and for plugins trusted as much as core.
 */
export class InlineInstance implements PluginInstance {
  readonly crashed = new Promise<PluginError>(() => {});
  readonly #options: InstanceOptions;
  readonly #runtime: PluginRuntime;
  readonly #streams: StreamSet;
  readonly #stopping: AbortController;
  #stopped = false;

  /** Loads the module and runs the factory. @throws {PulseError} */
  static async start(options: InstanceOptions): Promise<InlineInstance> {
    const { name, config, dataDir, limits } = options;
    const streams = new StreamSet(name, limits.maxStreams);
    const host = new GuardedServices({ ...options, streams });
    const stopping = new AbortController();
    const { signal } = stopping;
    try {
      const module: { default?: unknown } = await import(options.moduleUrl);
      const context = { name, config, dataDir, host, log: host.log, signal };
      const runtime = await withDeadline(
        PluginRuntime.create(module.default, context),
        "its factory",
        options,
        limits.loadTimeoutMs,
      );
      parseSurface(name, runtime.surface, options.manifest);
      return new InlineInstance(options, runtime, streams, stopping);
    } catch (error) {
      stopping.abort();
      streams.end();
      throw error;
    }
  }

  private constructor(
    options: InstanceOptions,
    runtime: PluginRuntime,
    streams: StreamSet,
    stopping: AbortController,
  ) {
    this.#options = options;
    this.#runtime = runtime;
    this.#streams = streams;
    this.#stopping = stopping;
  }

  get surface(): PluginSurface {
    return this.#runtime.surface;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async invoke(method: InstanceMethod, ...args: readonly unknown[]): Promise<unknown> {
    this.#requireRunning();
    const { limits } = this.#options;
    const timeoutMs = timeoutOf(method, limits);
    return await withDeadline(this.#runtime.invoke(method, args), method, this.#options, timeoutMs);
  }

  async stream(protocol: string, stream: ByteStream, from: IncomingStream): Promise<void> {
    this.#requireRunning();
    this.#runtime.stream(protocol, await this.#streams.add(() => stream), from);
  }

  async join(conversation: JoinConversation): Promise<void> {
    this.#requireRunning();
    const { joinTimeoutMs } = this.#options.limits;
    await withDeadline(this.#runtime.join(conversation), "join", this.#options, joinTimeoutMs);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    const { name, log, limits } = this.#options;
    this.#stopping.abort(new PluginError("PLUGIN_DOWN", `plugin ${name} is being stopped`));
    try {
      await withDeadline(this.#runtime.stop(), "stop", this.#options, limits.hookTimeoutMs);
    } catch (error) {
      const { code, message } = toWireError(error);
      log("warn", "plugin did not stop in good order", { plugin: name, code, error: message });
    }
    this.#streams.end();
  }

  #requireRunning(): void {
    if (!this.#stopped) return;
    throw new PluginError("PLUGIN_DOWN", `plugin ${this.#options.name} is not running`);
  }
}

/** What a plugin throws becomes what it would be after crossing an isolate, so that nobody can tell the modes apart. */
async function withDeadline<T>(
  work: Promise<T>,
  method: string,
  { name }: InstanceOptions,
  timeoutMs: number,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const text = `plugin ${name} did not answer ${method} within ${timeoutMs} ms`;
    reject(new PluginError("PLUGIN_DEADLINE", text, { method, timeoutMs }));
  }, timeoutMs);
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    throw error instanceof PulseError ? error : fromWireError(toWireError(error));
  } finally {
    clearTimeout(timer);
  }
}
