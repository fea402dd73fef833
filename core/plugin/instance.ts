import type { ByteStream } from "../sessions/types.ts";
import type { IncomingStream } from "../streams/types.ts";
import type { PluginError } from "./errors.ts";
import type { WorkerPermissions } from "./expand_permissions.ts";
import type { PluginSurface } from "./surface.ts";
import type { HostServices, JoinConversation, Json, LogFn, PluginManifest } from "./types.ts";

/** What the host asks of a plugin, by name; arguments and results as in `PluginHooks`. */
export type InstanceMethod =
  | "start"
  | "linkUp"
  | "linkDown"
  | "config"
  | "networkConfig"
  | "resolveName"
  | "service"
  | "api"
  | "metrics"
  | "health";

/** One life of a plugin, in a Worker or inline. After a crash it is over; the next life is another instance. */
export interface PluginInstance {
  readonly surface: PluginSurface;
  /** Results are the plugin's word: the caller checks them. @throws {PulseError} */
  invoke(method: InstanceMethod, ...args: readonly unknown[]): Promise<unknown>;
  /** Hands a stream over; it is reset when the plugin fails it or ends. @throws {PulseError} it could not be handed over */
  stream(protocol: string, stream: ByteStream, from: IncomingStream): Promise<void>;
  /** Ends with the conversation. @throws {PulseError} */
  join(conversation: JoinConversation): Promise<void>;
  /** Streams open now. */
  readonly openStreams: number;
  /** Resolves with the reason when the plugin ends by itself; never after `stop`. */
  readonly crashed: Promise<PluginError>;
  /** `onStop` with its deadline, then the end of everything the plugin held. Never rejects. */
  stop(): Promise<void>;
}

/** Deadlines and bounds of one plugin. */
export interface InstanceLimits {
  /** Each hook, and the answer to a sign-of-life call. */
  readonly hookTimeoutMs: number;
  /** Loading the module, imports included; then its factory; then `onStart`. */
  readonly loadTimeoutMs: number;
  /** A call of a service or an API route. */
  readonly callTimeoutMs: number;
  readonly joinTimeoutMs: number;
  /** Between signs of life asked for. */
  readonly heartbeatMs: number;
  /** Streams a plugin may have open, both kinds together. */
  readonly maxStreams: number;
  readonly maxCallsInFlight: number;
}

export const defaultInstanceLimits: InstanceLimits = {
  hookTimeoutMs: 5_000,
  loadTimeoutMs: 30_000,
  callTimeoutMs: 30_000,
  joinTimeoutMs: 30_000,
  heartbeatMs: 5_000,
  maxStreams: 4_096,
  maxCallsInFlight: 4_096,
};

export interface InstanceOptions {
  readonly name: string;
  readonly manifest: PluginManifest;
  readonly moduleUrl: string;
  readonly config: Json;
  /** What a Worker gets. */
  readonly permissions: WorkerPermissions;
  /** The plugin's own directory as the plugin sees it: "" when it may not read. */
  readonly dataDir: string;
  /** As seen by this plugin. */
  readonly services: HostServices;
  readonly log: LogFn;
  readonly limits: InstanceLimits;
}

/** The limit for one method: hooks are short, calls may take work, and to start belongs to loading. */
export function timeoutOf(method: InstanceMethod, limits: InstanceLimits): number {
  if (method === "start") return limits.loadTimeoutMs;
  return method === "service" || method === "api" ? limits.callTimeoutMs : limits.hookTimeoutMs;
}
