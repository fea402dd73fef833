import { formatHostPort, type HostPort, parseHostPort } from "../address/mod.ts";
import type { GossipCounters } from "../gossip/mod.ts";
import type { GossipRecord } from "../gossip/types.ts";
import type { Credentials, NodeCertificate, NodeId } from "../identity/types.ts";
import type { MetricHistogram } from "../plugin/types.ts";
import type { AclRule, CompiledPolicy, PolicyNode } from "../policy/mod.ts";
import type { NoPath, Paths, QuickestWay } from "../router/mod.ts";
import { defaultSessionLimits, type LinkPolicy } from "../sessions/types.ts";
import type { MeshStream, StreamRequest } from "../streams/mod.ts";
import { DataPlaneView } from "./data_plane_view.ts";
import type { Denials } from "./denial_counts.ts";
import type { ExitView } from "./exit_view.ts";
import type { Link, Traffic } from "./link_manager.ts";
import { type Listeners, openListeners } from "./listeners.ts";
import type { NetworkConfig } from "./network_config.ts";
import type { NodeOptions } from "./node_options.ts";
import { NodeParts } from "./node_parts.ts";
import { NodeTrust } from "./node_trust.ts";
import type { RememberedPeer } from "./peers_store.ts";
import type { PolicyGate } from "./policy_gate.ts";
import { serveRollDoor } from "./roll_door.ts";
import type { SessionDatagrams } from "./session_datagrams.ts";
import { worthRemembering } from "./worth_remembering.ts";

/** A running member of a mesh. */
export class Node implements AsyncDisposable {
  readonly #parts: NodeParts;
  readonly dataPlane = new DataPlaneView(this);

  static async start(given: NodeOptions): Promise<Node> {
    const { network, clock, log } = given;
    const root = given.credentials.anchor;
    const trust = new NodeTrust({ network, root, storage: given.trust, clock, log });
    const options = { ...given, credentials: { ...given.credentials, trust: trust.trust } };
    // The policy is asked for the first time after the node exists: nothing is accepted before `begin`.
    const started: { node?: Node } = {};
    const policy: LinkPolicy = {
      network: options.network,
      credentials: () => started.node?.credentials ?? options.credentials,
      admit: (peer) => started.node?.admit(peer),
      now: () => options.clock.wall(),
    };
    const listeners = await openListeners({
      listen: options.listen,
      policy,
      limits: defaultSessionLimits,
      quic: options.quic,
      websocket: options.websocket,
      onJoin: (conversation) =>
        serveRollDoor(conversation, trust, { log, join: (c) => options.hooks.join(c) }),
    });
    const parts = new NodeParts(options, listeners, policy, trust);
    started.node = new Node(parts);
    parts.begin();
    return started.node;
  }

  private constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get id(): NodeId {
    return this.#parts.self;
  }

  get credentials(): Credentials {
    return this.#parts.credentials;
  }

  /** Its own addresses in the mesh: those of its certificate, unless the network config says otherwise. */
  get meshAddresses(): readonly string[] {
    return this.#parts.meshAddresses;
  }

  get listeners(): Listeners {
    return this.#parts.listeners;
  }

  /** What this node tells others to dial now. */
  get addresses(): string[] {
    return this.#parts.addresses;
  }

  records(): Iterable<GossipRecord> {
    return this.#parts.gossip.records();
  }

  record(id: NodeId): GossipRecord | undefined {
    return this.#parts.gossip.get(id);
  }

  link(peer: NodeId): Link | undefined {
    return this.#parts.links.primary(peer);
  }

  linkedPeers(): NodeId[] {
    return this.#parts.links.peers();
  }

  measure(link: Link): { latencyMs: number; loss: number } | undefined {
    return this.#parts.probes.measure(link);
  }

  /** Moves when paths may be others. */
  get graphVersion(): string {
    return this.#parts.routes.version;
  }

  /** Candidate paths to a node, best first, or the reason why there are none. */
  paths(destination: NodeId): Paths | NoPath {
    return this.#parts.routes.paths(destination);
  }

  /** @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS */
  findNode(text: string): NodeId {
    return this.#parts.findNode(text);
  }

  /** @throws {StreamError} */
  async openStream(
    request: StreamRequest,
    options: { signal?: AbortSignal } = {},
  ): Promise<MeshStream> {
    return await this.#parts.streams.open(request, options);
  }

  /** New certificate, same key: used from the next handshake on; no session is touched. */
  async renew(credentials: Credentials): Promise<void> {
    await this.#parts.renew(credentials);
  }

  /** Datagrams of the data plane over sessions. */
  get datagrams(): SessionDatagrams {
    return this.#parts.datagrams;
  }

  /** Ways out of the mesh. */
  get exits(): ExitView {
    return this.#parts.exits;
  }

  /** Those of them that packets can go. */
  get packetExits(): ExitView {
    return this.#parts.packetExits;
  }

  /** Whose certificates count here. */
  get trust(): NodeTrust {
    return this.#parts.trust;
  }

  /** The last word on a peer whose certificate is valid. @throws {LinkRefusedError} */
  admit(peer: NodeCertificate): void {
    this.#parts.admission.admit(peer);
  }

  /** New rules: they hold for new streams at once, and open ones that they deny are cut. */
  setPolicy(rules: readonly AclRule[], nodes: Iterable<PolicyNode>): void {
    this.#parts.appliedConfig.setPolicy(rules, nodes);
  }

  /** The rules in force. */
  get policy(): CompiledPolicy {
    return this.#parts.gate.policy;
  }

  /** Nodes refused here. */
  get revoked(): ReadonlySet<NodeId> {
    return this.#parts.admission.revoked;
  }

  /** Streams of users' traffic, by this node's part in them. */
  flowCounts(): ReturnType<PolicyGate["flowCounts"]> {
    return this.#parts.gate.flowCounts();
  }

  gossipCounters(): Readonly<GossipCounters> {
    return this.#parts.gossip.counters();
  }

  /** Round trips of all links since the start, in seconds. */
  get roundTrips(): MetricHistogram {
    return this.#parts.probes.roundTrips;
  }

  /** Bytes over all links since the start. */
  traffic(): Traffic {
    return this.#parts.links.traffic();
  }

  /** Links that came back after they had been up before. */
  get reconnects(): number {
    return this.#parts.reconnects.count;
  }

  /** The quickest way to every node, for tables. */
  ways(): Map<NodeId, QuickestWay> {
    return this.#parts.routes.ways();
  }

  /** What the rules refused or cut here. */
  denials(): Denials {
    return this.#parts.gate.denials();
  }

  get networkConfig(): NetworkConfig {
    return this.#parts.networkConfig;
  }

  /** From now on these nodes get nothing: no session, no stream, no place in gossip. */
  async revoke(ids: readonly NodeId[]): Promise<void> {
    await this.#parts.refusals.add(ids);
  }

  /** Addresses of the peers the operator named, and of those of the last run. */
  get peerAddresses(): readonly HostPort[] {
    const remembered = this.#parts.options.remembered.flatMap(({ addresses }) => addresses);
    return [...this.#parts.peerAddresses.list(), ...remembered.map(parseHostPort)];
  }

  /** Configured addresses that could not be dialled, and why. */
  get dialFailures(): ReadonlyMap<string, string> {
    return this.#parts.dialler.failures;
  }

  /** Highest gossip sequence used so far. */
  get sequence(): number {
    return this.#parts.gossip.sequence;
  }

  /** Peers worth remembering for the next start. */
  remembered(): RememberedPeer[] {
    return worthRemembering({
      self: this.id,
      records: this.records(),
      lastRun: this.#parts.options.remembered,
      linked: (peer) => this.#parts.links.primary(peer) !== undefined,
    });
  }

  /** `host:port` of a listener, for status. */
  describeListeners(): { quic: string | null; websocket: string | null } {
    const at = formatHostPort(this.#parts.listeners.address);
    return {
      quic: this.#parts.listeners.quic === undefined ? null : at,
      websocket: this.#parts.listeners.websocket === undefined ? null : at,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}
