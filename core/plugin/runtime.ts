import { errorCode, errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/types.ts";
import { PluginError } from "./errors.ts";
import type { InstanceMethod } from "./instance.ts";
import { type PluginSurface, surfaceOf } from "./surface.ts";
import type {
  JoinConversation,
  Json,
  NetworkConfigNews,
  PluginApiRequest,
  PluginContext,
  PluginFactory,
  PluginHooks,
} from "./types.ts";

/** A plugin made from its factory, in whatever isolate this code runs: turns the host's named calls into its hooks. */
export class PluginRuntime {
  readonly surface: PluginSurface;
  readonly #hooks: PluginHooks;
  readonly #context: PluginContext;

  /** Runs the factory. `onStart` is a call of its own. */
  static async create(factory: unknown, context: PluginContext): Promise<PluginRuntime> {
    if (typeof factory !== "function") {
      throw new PluginError(
        "PLUGIN_START",
        `The module of plugin ${context.name} has no factory as its default export`,
      );
    }
    return new PluginRuntime(await (factory as PluginFactory)(context), context);
  }

  private constructor(hooks: PluginHooks, context: PluginContext) {
    this.#hooks = hooks;
    this.#context = context;
    this.surface = surfaceOf(hooks);
  }

  /** Arguments are the host's and trusted; see `PluginHooks` for their types. */
  async invoke(method: InstanceMethod, args: readonly unknown[]): Promise<unknown> {
    const hooks = this.#hooks;
    switch (method) {
      case "start":
        return await hooks.onStart?.();
      case "linkUp":
        return await hooks.onLinkUp?.(args[0] as { id: NodeId; kind: string });
      case "linkDown":
        return await hooks.onLinkDown?.(args[0] as { id: NodeId; reason: string });
      case "config":
        return await hooks.onConfig?.(args[0] as Json);
      case "networkConfig":
        return await hooks.onNetworkConfig?.(args[0] as NetworkConfigNews);
      case "resolveName":
        return await hooks.resolveName?.(args[0] as string);
      case "service":
        return await this.#service(args[0] as string, args[1] as string)(args[2] as Json);
      case "api":
        return await hooks.apiRoutes?.[args[0] as number]?.handle(args[1] as PluginApiRequest);
      case "metrics":
        return await hooks.metrics?.();
      case "health":
        return await hooks.health?.();
    }
  }

  /** Starts the handler and does not wait for it. What it throws costs this stream only. */
  stream(protocol: string, stream: ByteStream, from: IncomingStream): void {
    const handler = this.#hooks.streams?.[protocol];
    if (handler === undefined) return stream.reset();
    const failed = (error: unknown) => {
      this.#context.log("warn", "stream handler failed", {
        protocol,
        peer: from.origin.id,
        code: errorCode(error, "PLUGIN_FAILED"),
        error: errorText(error),
      });
      stream.reset();
    };
    try {
      handler(stream, from).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async join(conversation: JoinConversation): Promise<void> {
    await this.#hooks.join?.(conversation);
  }

  async stop(): Promise<void> {
    await this.#hooks.onStop?.();
  }

  #service(service: string, method: string): (argument: Json) => Promise<Json> {
    const methods = this.#hooks.services?.[service];
    if (methods !== undefined && Object.hasOwn(methods, method)) {
      return (argument) => methods[method]!(argument);
    }
    throw new PluginError(
      "PLUGIN_METHOD_UNKNOWN",
      `The service ${service} has no method ${method}`,
      { service, method },
    );
  }
}
