import type { JoinConversation } from "../identity/join_channel.ts";
import type { NodeCertificate, NodeId } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream, MeshStream } from "../streams/types.ts";

/** Plain data that crosses a Worker boundary unchanged. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * Permissions a plugin declares. Every key left out means denied; nothing is inherited. `$DATA` in a path stands for the
 * plugin's own data directory (`<data-dir>/<plugin name>`), `$PROGRAM` in `read` for the program's sources, from which a plugin
 * with a Worker of its own loads it, `$CONFIG.<key>` in `net` for a value of its configuration
 * (`$CONFIG.<key>=<value>` where the configuration may leave it out): text is one address, a list several, `true` all.
 */
export interface PluginPermissions {
  readonly net?: readonly string[] | boolean;
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly env?: readonly string[];
  readonly sys?: readonly string[];
  readonly run?: readonly string[];
  readonly ffi?: readonly string[] | boolean;
}

/** One entry of `pulse.plugins` in `deno.json`. */
export interface PluginManifest {
  readonly module: string;
  readonly permissions: PluginPermissions;
  /** Services it needs, each provided by core or by another plugin. */
  readonly needs?: readonly string[];
  /** Services it provides to others. */
  readonly provides?: readonly string[];
  /** @default "worker" */
  readonly isolate?: "worker" | "inline";
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Structured log; field names are fixed in docs/logging.md. */
export type LogFn = (
  level: LogLevel,
  message: string,
  fields?: { readonly [key: string]: Json | undefined },
) => void;

export interface PeerInfo {
  readonly id: NodeId;
  readonly name?: string;
  readonly meshAddresses: readonly string[];
  readonly roles: readonly string[];
  readonly capabilities: readonly string[];
  readonly linked: boolean;
}

/** What core offers every plugin. Calls cost a Worker round trip (about 55 us). */
export interface HostServices {
  /** This node: id, network, addresses it advertises, anchor fingerprint. */
  self(): Promise<
    {
      readonly id: NodeId;
      readonly network: string;
      readonly addresses: readonly string[];
      readonly joined: boolean;
    }
  >;
  peers(): Promise<readonly PeerInfo[]>;
  /**
   * Resolves a node id, unique id prefix or `.pulse` name.
   * @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS
   */
  resolveNode(text: string): Promise<NodeId>;
  /** A stream through the mesh. @throws {PulseError} with the reason and the hop that gave it */
  openStream(
    request: {
      readonly node: string;
      readonly protocol: string;
      readonly target?: string;
      readonly port: number;
    },
    options?: { signal?: AbortSignal },
  ): Promise<MeshStream>;
  /** Calls a service another plugin (or core) provides; the manifest must name it in `needs`. */
  call(service: string, method: string, argument: Json): Promise<Json>;
  /** An event for the audit and event log. */
  emit(type: string, fields: { readonly [key: string]: Json | undefined }): void;
}

/** An endpoint a plugin adds to the control API, mounted under `/api`. */
export interface PluginApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `/tokens`, `/tokens/:id` */
  readonly path: string;
  readonly summary: string;
  /**
   * Who may call it over the network: `read` for every API key, `admin` for admin keys alone. The local socket may call everything.
   * @default "admin"
   */
  readonly access?: "read" | "admin";
  /** Runs in the plugin's own Worker. Throw a `PulseError`: its code and message become the problem response. */
  handle(request: PluginApiRequest): Promise<PluginApiResponse>;
}

export interface PluginApiRequest {
  readonly params: { readonly [key: string]: string };
  readonly query: { readonly [key: string]: string };
  readonly body: Json;
  /** The `If-Match` header without its quotes. */
  readonly ifMatch?: string;
  /** Who asks, for audit logs: `local` for the unix socket, else `key:<id>@<address>`. */
  readonly by?: string;
}

export interface PluginApiResponse {
  readonly status: number;
  readonly body: Json;
  /** Sent as `ETag`, in quotes. */
  readonly etag?: string;
}

/** Which network config is in force: zeros and no hash while there is none. Told again when the CA grants the scribe's role anew. */
export interface NetworkConfigNews {
  readonly epoch: number;
  readonly version: number;
  readonly hash: string;
}

/** What a plugin gives back to the host. Each hook is optional; each runs with a deadline (5 s by default). */
export interface PluginHooks {
  /**
   * Throws when there can be no start. A plugin that throws is tried again some times, unless the error's field `permanent` is
   * true: nothing that changes by itself is missing.
   */
  onStart?(): Promise<void> | void;
  onLinkUp?(peer: { readonly id: NodeId; readonly kind: string }): Promise<void> | void;
  onLinkDown?(
    peer: { readonly id: NodeId; readonly reason: string },
  ): Promise<void> | void;
  onConfig?(config: Json): Promise<void> | void;
  /** The signed network config in force has changed. What it says is asked for through `host.call("netconfig", "current")`. */
  onNetworkConfig?(config: NetworkConfigNews): Promise<void> | void;
  /** Streams for the protocols named; the handler owns the stream. */
  readonly streams?: {
    readonly [protocol: string]: (
      stream: ByteStream,
      from: IncomingStream,
    ) => Promise<void>;
  };
  /** A stranger's join conversation, handed over by the listener as a message channel. */
  readonly join?: (conversation: JoinConversation) => Promise<void>;
  resolveName?(name: string): Promise<NodeId | undefined>;
  readonly apiRoutes?: readonly PluginApiRoute[];
  /** Services by name, then method. */
  readonly services?: {
    readonly [service: string]: {
      readonly [method: string]: (argument: Json) => Promise<Json>;
    };
  };
  /** Prometheus samples: name, help, type, value, labels. */
  metrics?(): Promise<readonly PluginMetric[]> | readonly PluginMetric[];
  health?():
    | Promise<{ readonly ok: boolean; readonly detail: string }>
    | {
      readonly ok: boolean;
      readonly detail: string;
    };
  onStop?(): Promise<void> | void;
}

/** How observations spread; all counters only ever grow. */
export interface MetricHistogram {
  /** Upper bounds, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Observations at or below each bound and above the one before; one more at the end for the rest. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface PluginMetric {
  readonly name: string;
  readonly help: string;
  /** `untyped` for gauges that kept a name Prometheus would read as a counter's. */
  readonly type: "gauge" | "counter" | "untyped" | "histogram";
  /** Of a histogram: the number of observations. */
  readonly value: number;
  readonly labels?: { readonly [key: string]: string };
  /** Of a histogram alone. */
  readonly histogram?: MetricHistogram;
}

/** One line of `pulse status`. */
export interface PluginStatus {
  readonly name: string;
  readonly state: "running" | "failed" | "stopped";
  readonly detail: string;
}

/** What a plugin is made from. */
export interface PluginContext {
  readonly name: string;
  /** Validated by the plugin itself with zod. */
  readonly config: Json;
  /** The plugin's own directory, made 0700 before the plugin starts; "" when it declared no read permission. */
  readonly dataDir: string;
  readonly host: HostServices;
  readonly log: LogFn;
  /** Aborted when the plugin is being stopped. */
  readonly signal: AbortSignal;
}

/** The default export of a plugin's `mod.ts`. */
export type PluginFactory = (context: PluginContext) => PluginHooks | Promise<PluginHooks>;

export type { JoinConversation, NodeCertificate };
