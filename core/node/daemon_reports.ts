import type { Clock } from "../clock/clock.ts";
import type { DaemonConfig } from "../config/mod.ts";
import type { ExitsReport, HealthWarning, StatusReport } from "../control/types.ts";
import type { NodeId } from "../identity/mod.ts";
import type { PluginHost } from "../plugin/mod.ts";
import { exitWarnings } from "./exit_warnings.ts";
import { configProblems, configStatus } from "./network_config_status.ts";
import type { Node } from "./node.ts";
import type { NodeHistory } from "./node_history.ts";
import { rollState } from "./roll_state.ts";
import { certificateStatus, peerStatuses, selfStatus } from "./status.ts";
import { healthWarnings } from "./status_warnings.ts";

/** What went wrong beside the node. */
export interface DaemonTroubles {
  readonly joinError: string | undefined;
  readonly renewalError: string | undefined;
  readonly scribeError: string | undefined;
  readonly apiError: string | undefined;
}

export interface DaemonReportsOptions {
  readonly self: NodeId;
  readonly config: DaemonConfig;
  readonly clock: Clock;
  /** Undefined until it has joined. */
  node(): Node | undefined;
  readonly plugins: Pick<PluginHost, "status">;
  readonly history: NodeHistory;
  capabilities(): string[];
  configuredPeers(): readonly string[];
  troubles(): DaemonTroubles;
}

/** What a daemon tells an operator of itself. */
export class DaemonReports {
  readonly #options: DaemonReportsOptions;
  readonly #startedAt: number;

  constructor(options: DaemonReportsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  status(): StatusReport {
    const { self, config, clock, plugins } = this.#options;
    const node = this.#options.node();
    const now = clock.now();
    return {
      self: selfStatus({
        id: self,
        network: node?.credentials.certificate.network ?? config.network,
        credentials: node?.credentials,
        node,
        startedAt: this.#startedAt,
        now,
        capabilities: this.#options.capabilities(),
        dataDir: config.dataDir,
      }),
      certificate: node === undefined ? null : certificateStatus(node.credentials, clock.wall()),
      peers: node === undefined ? [] : peerStatuses(node, now),
      plugins: plugins.status(),
      config: node === undefined ? null : configStatus(node.networkConfig.state),
      warnings: this.warnings(),
    };
  }

  /** What an operator should know. */
  warnings(): HealthWarning[] {
    const { config, clock, plugins, history } = this.#options;
    const node = this.#options.node();
    const health = healthWarnings({
      certificate: node === undefined ? null : certificateStatus(node.credentials, clock.wall()),
      linked: node?.linkedPeers().length ?? 0,
      ca: config.ca,
      known: node?.remembered().length ?? 0,
      configured: this.#options.configuredPeers().length,
      failures: node?.dialFailures ?? new Map(),
      plugins: plugins.status(),
      roll: node === undefined ? "none" : rollState(node),
      config: node === undefined ? [] : configProblems(node.networkConfig.state),
      ...this.#options.troubles(),
    });
    const exits = node === undefined ? [] : exitWarnings(this.exits(), node.id);
    return [...health, ...exits, ...history.history.warnings()];
  }

  exits(): ExitsReport {
    const { use, killswitch } = this.#options.config.exit;
    return { routes: [...this.#options.node()?.exits.list() ?? []], use, killswitch };
  }
}
