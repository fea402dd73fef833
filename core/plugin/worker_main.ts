/** What runs in a plugin's Worker: makes the plugin and answers the host. @module */
import { errorText } from "../errors/mod.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream, MeshStream } from "../streams/types.ts";
import { BufferPool } from "./buffer_pool.ts";
import { PluginError } from "./errors.ts";
import { defaultInstanceLimits, type InstanceMethod } from "./instance.ts";
import { PortStream } from "./port_stream.ts";
import { RpcPeer, WithPorts } from "./rpc_peer.ts";
import { PluginRuntime } from "./runtime.ts";
import type { HostServices, JoinConversation, Json, PluginContext } from "./types.ts";

/** The Worker's own scope; the project's types are those of a window. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** What `create` is called with. */
export interface WorkerStart {
  readonly name: string;
  readonly config: Json;
  readonly dataDir: string;
}

type MeshFacts = Pick<MeshStream, "peer" | "path">;

class PortMeshStream extends PortStream implements MeshStream {
  readonly peer: MeshStream["peer"];
  readonly path: MeshStream["path"];

  constructor(port: MessagePort, pool: BufferPool, { peer, path }: MeshFacts) {
    super(port, pool);
    this.peer = peer;
    this.path = path;
  }
}

/**
 * Serves the host until the Worker is terminated. The Worker's entry imports the plugin and hands its default export over, so
 * that its modules load without any permission to read.
 */
export function runPlugin(factory: unknown): void {
  const scope = globalThis as unknown as WorkerScope;
  const pool = new BufferPool();
  const stopping = new AbortController();
  let runtime: PluginRuntime | undefined;

  const rpc = new RpcPeer({
    send: (message, ports) => scope.postMessage(message, ports),
    notified: () => {},
    maxInFlight: defaultInstanceLimits.maxCallsInFlight,
    label: "the host",
    async handle(method, args, ports) {
      switch (method) {
        case "ping":
          return;
        case "create":
          runtime = await PluginRuntime.create(factory, context(args[0] as WorkerStart));
          return runtime.surface;
      }
      if (runtime === undefined) throw new PluginError("PLUGIN_START", "The plugin was not made");
      switch (method) {
        case "stream": {
          const stream: ByteStream = new PortStream(ports[0]!, pool);
          return runtime.stream(args[0] as string, stream, args[1] as IncomingStream);
        }
        case "join":
          return await runtime.join(conversation(args[0] as number, args[1] as string));
        case "stop":
          stopping.abort(new PluginError("PLUGIN_DOWN", "The plugin is being stopped"));
          return await runtime.stop();
        default:
          return await runtime.invoke(method as InstanceMethod, args);
      }
    },
  });

  const host: HostServices = {
    self: () => rpc.call("self", []) as ReturnType<HostServices["self"]>,
    peers: () => rpc.call("peers", []) as ReturnType<HostServices["peers"]>,
    resolveNode: (text) => rpc.call("resolveNode", [text]) as Promise<string>,
    async openStream(request, options) {
      const { node, protocol, target, port } = request;
      const plain = { node, protocol, port, ...(target !== undefined && { target }) };
      const given = await rpc.call("openStream", [plain], { signal: options?.signal });
      if (!(given instanceof WithPorts)) {
        throw new PluginError("PLUGIN_PROTOCOL", "The host gave no stream");
      }
      return new PortMeshStream(given.ports[0]!, pool, given.value as MeshFacts);
    },
    call: (service, method, argument) =>
      rpc.call("call", [service, method, argument]) as Promise<Json>,
    emit: (type, fields) => rpc.notify("emit", type, fields),
  };

  const context = ({ name, config, dataDir }: WorkerStart): PluginContext => ({
    name,
    config,
    dataDir,
    host,
    log(level, message, fields = {}) {
      try {
        rpc.notify("log", level, message, fields);
      } catch (error) {
        rpc.notify("log", level, message, { unprintable: errorText(error) });
      }
    },
    signal: stopping.signal,
  });

  const conversation = (id: number, remoteAddress: string): JoinConversation => ({
    remoteAddress,
    receive: () => rpc.call("joinReceive", [id]) as Promise<Uint8Array | null>,
    async send(message) {
      await rpc.call("joinSend", [id, message.slice()]);
    },
  });

  scope.onmessage = (event) => rpc.receive(event.data);
  rpc.notify("ready");
}
