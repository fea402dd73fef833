/** How a daemon is asked and told things: HTTP on a unix socket and on the network, and raw tunnels. @module */
export type { ApiKeyRole } from "./api_key.ts";
export { type ApiKeyInfo, ApiKeyStore, maxApiKeys, type NewApiKey } from "./api_key_store.ts";
export {
  type Access,
  type ApiRole,
  apiRoles,
  authorise,
  type Caller,
  coreAccess,
  localCaller,
  type Verdict,
} from "./authorisation.ts";
export { ControlClient, type ControlMethod } from "./client.ts";
export { lockDataDir } from "./data_dir_lock.ts";
export { AlreadyRunningError, ControlError, NotRunningError } from "./errors.ts";
export type { ReceivedEvent } from "./event_parser.ts";
export {
  eventStream,
  type EventStreamOptions,
  lastEventId,
  type StreamEvent,
} from "./event_stream.ts";
export { isLocalToken, loadOrCreateLocalToken } from "./local_token.ts";
export { maxRequests } from "./lazy_app.ts";
export {
  type ListenerCertificate,
  type NetworkLimits,
  networkLimits,
  type NetworkServer,
  serveNetwork,
  type ServeNetworkOptions,
} from "./network_server.ts";
export { serveControl, type ServeControlOptions } from "./server.ts";
export { openTunnel, type Tunnel, type TunnelEndpoint } from "./tunnel_client.ts";
export type { OpenTunnelStream } from "./tunnel_connection.ts";
export type { TunnelOpened, TunnelRequest } from "./tunnel_protocol.ts";
export { TunnelPorts } from "./tunnel_ports.ts";
export {
  maxTunnels,
  serveTunnels,
  type ServeTunnelsOptions,
  type TunnelServer,
} from "./tunnel_server.ts";
export * from "./types.ts";
export { type ErrorFields, PulseError } from "../errors/mod.ts";
export type { NodeCertificate, NodeId, Role } from "../identity/types.ts";
export type {
  Json,
  LogFn,
  LogLevel,
  PluginApiRequest,
  PluginApiResponse,
  PluginApiRoute,
} from "../plugin/types.ts";
export type { ByteStream, SessionKind } from "../sessions/types.ts";
export type { MeshStream } from "../streams/types.ts";
