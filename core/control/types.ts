import type { HistoryControl } from "../history/types.ts";
import type { NodeId, Role } from "../identity/types.ts";
import type { PluginApiRoute, PluginStatus } from "../plugin/types.ts";
import type { SessionKind } from "../sessions/types.ts";

export type { PluginStatus };

/** `pulse status --json`: what the node knows about itself and its mesh right now. */
export interface StatusReport {
  readonly self: SelfStatus;
  /** Null before the node has joined. */
  readonly certificate: CertificateStatus | null;
  readonly peers: readonly PeerStatus[];
  readonly plugins: readonly PluginStatus[];
  /** The signed network config in force; null before the node has joined. */
  readonly config: ConfigStatus | null;
  /** Empty when all is well. */
  readonly warnings: readonly HealthWarning[];
}

export interface ConfigStatus {
  /** 0 while there is none. */
  readonly epoch: number;
  readonly version: number;
  /** SHA-256 of its document, hex; empty while there is none. */
  readonly hash: string;
  readonly note: string;
  /** Whom the CA has granted the role, and in which epoch. */
  readonly scribe: NodeId | null;
  readonly grantEpoch: number;
  /** What is wrong with what came last, in words. */
  readonly problem: string | null;
}

export interface SelfStatus {
  readonly id: NodeId;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly network: string;
  readonly version: string;
  readonly joined: boolean;
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** Mesh addresses from the certificate: IPv4, IPv6. */
  readonly meshAddresses: readonly string[];
  /** `host:port` advertised to others. */
  readonly addresses: readonly string[];
  /** `host:port` really bound. */
  readonly listen: { readonly quic: string | null; readonly websocket: string | null };
  readonly roles: readonly Role[];
  readonly capabilities: readonly string[];
  readonly dataDir: string;
}

export interface CertificateStatus {
  readonly serial: string;
  readonly fingerprint: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly remainingSeconds: number;
  readonly status: "valid" | "expiring" | "expired";
  readonly caFingerprint: string;
}

export interface PeerStatus {
  readonly id: NodeId;
  /** From the network config. */
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly addresses: readonly string[];
  readonly meshAddresses: readonly string[];
  /** `-` when there is no direct session. */
  readonly link: SessionKind | "-";
  /** How IP packets to it travel; null where there is no packet tunnel to it. */
  readonly carrier: "fast" | "quic" | "websocket" | null;
  /** Of the link when there is one, else of the best path; null while unmeasured or unreachable. */
  readonly latencyMs: number | null;
  /** 0..1 */
  readonly loss: number;
  /** Links on the best path; 0 when unreachable. */
  readonly hops: number;
  /** Best path, this node first; empty when unreachable. */
  readonly path: readonly NodeId[];
  /** Why there is no path or no direct link, in words; null when there is a direct link. */
  readonly reason: string | null;
  readonly version: string;
  readonly roles: readonly Role[];
  readonly capabilities: readonly string[];
  /** Since its record was last refreshed. */
  readonly lastSeenSeconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface HealthWarning {
  /** Stable, such as `CERTIFICATE_EXPIRING`. */
  readonly code: string;
  readonly severity: "warning" | "error";
  readonly text: string;
}

/** One attempt of the self-check: what the process tried and whether Deno let it. */
export interface PermissionProbe {
  readonly what: string;
  readonly allowed: boolean;
  readonly detail: string;
}

/** `GET /api/health`: whether the node does its work. */
export interface HealthReport {
  readonly ok: boolean;
  /** The node itself, then every plugin. */
  readonly checks: readonly HealthCheck[];
}

/** One part of the node and how it is. */
export interface HealthCheck {
  /** `node`, or `plugin <name>`. */
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** What the control API needs of a running node. */
export interface NodeControl {
  status(): StatusReport;
  /** Asks every plugin too, so it may take as long as the slowest of them. */
  health(): Promise<HealthReport>;
  /** Tries, from inside the process, what a relay must not be able to do. */
  probePermissions(): Promise<readonly PermissionProbe[]>;
  /** Begins an orderly stop; returns at once. */
  stop(): void;
  /** Routes of the loaded plugins, mounted under `/api`. */
  pluginRoutes(): readonly PluginApiRoute[];
  /** Prometheus text exposition; `clean` leaves out names its linter objects to, each of which has a twin. */
  metrics(names: "all" | "clean"): Promise<string>;
  /** Events, statistics, audit log. */
  readonly history: HistoryControl;
}

/** Names of the files in a data directory. */
export const dataFiles = {
  key: "identity.key",
  certificate: "identity.crt",
  anchor: "ca.crt",
  peers: "peers.json",
  state: "state.json",
  networkConfig: "network.config",
  networkMark: "network.mark",
  controlSocket: "pulse.sock",
  tunnelSocket: "tunnel.sock",
  localToken: "local-token",
  apiKeys: "api-keys.json",
  log: "pulse.log",
} as const;
