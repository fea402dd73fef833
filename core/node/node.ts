import { formatHostPort, type HostPort } from "../address/mod.ts";
import { errorText } from "../errors/mod.ts";
import type { GossipCounters } from "../gossip/mod.ts";
import type { GossipRecord } from "../gossip/types.ts";
import { exchangeWithin } from "../identity/mod.ts";
import type { Credentials, NodeCertificate, NodeId } from "../identity/types.ts";
import type { AclRule, CompiledPolicy, PolicyNode } from "../policy/mod.ts";
import type { ConfigBody } from "../netconfig/mod.ts";
import type { MetricHistogram } from "../plugin/types.ts";
import type { NoPath, Paths, QuickestWay } from "../router/mod.ts";
import { dialBest } from "../sessions/dial/mod.ts";
import { defaultSessionLimits, type LinkPolicy, SessionCloseCode } from "../sessions/types.ts";
import { openJoinConversation, WebSocketTransport } from "../sessions/websocket/mod.ts";
import { Deadline, type MeshStream, type StreamDeps, type StreamRequest } from "../streams/mod.ts";
import { TaskSet } from "../tasks/mod.ts";
import { version } from "../version.ts";
import { Admission } from "./admission.ts";
import { advertisedAddresses, readObservedAddress } from "./advertise.ts";
import { ControlChannel, controlKind } from "./control_channel.ts";
import { ControlLinks } from "./control_links.ts";
import type { Denials } from "./denial_counts.ts";
import { GossipDriver } from "./gossip_driver.ts";
import { type Link, LinkManager } from "./link_manager.ts";
import { type Listeners, openListeners } from "./listeners.ts";
import { openLocalStream } from "./local_stream.ts";
import { MeshRoutes } from "./mesh_routes.ts";
import { MeshStreams } from "./mesh_streams.ts";
import { findNode } from "./mesh_view.ts";
import { NetworkConfig } from "./network_config.ts";
import type { NodeOptions } from "./node_options.ts";
import { NodeTrust } from "./node_trust.ts";
import { Notifier } from "./notifier.ts";
import { PeerDialler } from "./peer_dialler.ts";
import type { RememberedPeer } from "./peers_store.ts";
import { PolicyGate } from "./policy_gate.ts";
import { PolicyNodes } from "./policy_nodes.ts";
import { ProbeDriver } from "./probe_driver.ts";
import { RetiredLinks } from "./retired_links.ts";
import { askAtDoor, DoorBell, serveRollDoor } from "./roll_door.ts";
import { StreamAcceptor } from "./stream_acceptor.ts";

/** Opening the door of a node, one question and its answer. */
const doorTimeoutMs = 5_000;

/** Peers remembered to tell a link that came back from a first one. */
const maxOnceLinked = 10_000;

/** A running member of a mesh: links, gossip, routes and streams, wired together. */
export class Node implements AsyncDisposable {
  readonly #options: NodeOptions;
  readonly #listeners: Listeners;
  readonly #links: LinkManager;
  readonly #control: ControlLinks;
  readonly #gossip: GossipDriver;
  readonly #routes: MeshRoutes;
  readonly #admission: Admission;
  readonly #gate: PolicyGate;
  readonly #policyNodes = new PolicyNodes(() => {
    const { body } = this.#networkConfig;
    this.setPolicy(body.acls, this.#policyNodes.list(body, this.records()));
  });
  readonly #networkConfig: NetworkConfig;
  readonly #trust: NodeTrust;
  readonly #retired: RetiredLinks;
  readonly #bell = new DoorBell();
  readonly #acceptor: StreamAcceptor;
  readonly #probes: ProbeDriver;
  readonly #dialler: PeerDialler;
  readonly #streams: MeshStreams;
  readonly #changed = new Notifier();
  readonly #observed = new Map<NodeId, string>();
  readonly #onceLinked = new Set<NodeId>();
  #reconnects = 0;
  readonly #tasks: TaskSet;
  #credentials: Credentials;
  /** By the CA of this process; those of the network config come on top. */
  readonly #ownRevoked = new Set<NodeId>();
  #names: ReadonlyMap<string, NodeId> = new Map();
  /** Links that have been probed and given a control channel: once each, however often they become preferred. */
  readonly #started = new WeakSet<Link>();

  static async start(given: NodeOptions): Promise<Node> {
    const { network, clock, log } = given;
    const root = given.credentials.anchor;
    const trust = new NodeTrust({ network, root, storage: given.trust, clock, log });
    const options = { ...given, credentials: { ...given.credentials, trust: trust.trust } };
    // The policy is asked for the first time after the node exists: nothing is accepted before `#begin`.
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
    const node = started.node = new Node(options, listeners, policy, trust);
    node.#begin();
    return node;
  }

  private constructor(
    options: NodeOptions,
    listeners: Listeners,
    policy: LinkPolicy,
    trust: NodeTrust,
  ) {
    const { clock, log } = options;
    const self = options.credentials.key.id;
    this.#options = options;
    this.#trust = trust;
    this.#credentials = options.credentials;
    this.#listeners = listeners;
    this.#tasks = new TaskSet((error) => {
      log("error", "node task failed", { error: errorText(error) });
    });
    this.#admission = new Admission({ self, linked: () => this.#links.peers() });
    this.#gate = new PolicyGate({
      self,
      log,
      addresses: () => this.#credentials.certificate.meshAddresses,
    });
    const now = () => clock.now();
    const random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
    this.#links = new LinkManager({
      self,
      log,
      events: {
        up: (peer, link) => {
          if (this.#onceLinked.has(peer)) this.#reconnects++;
          else if (this.#onceLinked.size < maxOnceLinked) this.#onceLinked.add(peer);
          options.hooks.linkUp(peer, link.kind);
        },
        primary: (_peer, link) => this.#primaryChanged(link),
        down: (peer, reason) => this.#linkDown(peer, reason),
        stream: (link, stream) => this.#acceptor.accept(link, stream),
      },
    });
    this.#control = new ControlLinks({
      log,
      primary: (peer) => this.#links.primary(peer),
      events: {
        up: (peer) => {
          this.#sayObserved(peer);
          // First: what comes behind it may be signed by the new CA.
          this.#trust.linkUp(peer);
          this.#gossip.linkUp(peer);
          this.#networkConfig.linkUp(peer);
        },
        down: (peer) => {
          this.#trust.linkDown(peer);
          this.#gossip.linkDown(peer);
          this.#networkConfig.linkDown(peer);
        },
        message: (link, kind, body) => this.#controlMessage(link, kind, body),
      },
    });
    this.#gossip = new GossipDriver({
      network: options.network,
      credentials: options.credentials,
      initialSequence: options.initialSequence,
      clock,
      random,
      log,
      send: (peer, bytes) => this.#control.send(peer, controlKind.gossip, bytes),
      onRecord: (record) => this.#learned(record),
      onRemoved: (id) => this.#dialler.forget(id),
    });
    this.#networkConfig = new NetworkConfig({
      network: options.network,
      self,
      credentials: () => this.#credentials,
      trust: () => trust.trust,
      storage: options.networkConfig,
      clock,
      log,
      send: (peer, bytes) => this.#control.send(peer, controlKind.networkConfig, bytes),
      changed: () => this.#networkConfigChanged(),
    });
    trust.connect({
      send: (peer, bytes) => this.#control.send(peer, controlKind.caRoll, bytes),
      changed: () => this.#trustChanged(),
    });
    this.#retired = new RetiredLinks({
      trust: () => trust.trust,
      linked: () =>
        this.#links.peers().flatMap((peer) => {
          const link = this.#links.primary(peer);
          return link === undefined ? [] : [{ peer, shown: link.session.peer }];
        }),
      current: (peer) => this.record(peer)?.certificate,
      drop: (peer) => {
        const why = "its certificate is of a CA that was retired";
        this.#tasks.add(this.#links.drop(peer, SessionCloseCode.unauthenticated, why));
      },
    });
    this.#routes = new MeshRoutes({
      self,
      random,
      records: () => this.records(),
      graphVersion: () => this.#gossip.graphVersion,
    });
    this.#probes = new ProbeDriver({
      now,
      random,
      onMeasure: () => this.#publish(),
      onDead: (link) => {
        log("warn", "link answers no probes", { peer: link.peer, transport: link.kind });
        this.#tasks.add(link.session.close(SessionCloseCode.idleTimeout, "probes unanswered"));
      },
    });
    const { quic } = listeners;
    const websocket = options.websocket
      ? new WebSocketTransport({ policy, limits: defaultSessionLimits })
      : undefined;
    this.#dialler = new PeerDialler({
      self,
      random,
      log,
      changed: this.#changed,
      link: (peer) => this.#links.primary(peer),
      onSession: (session) => this.#links.add(session),
      onFailure: (address, error, signal) => this.#askAtDoor(address, error, signal),
      dial: (target, signal) => dialBest(target, { transports: { quic, websocket }, signal }),
      dialQuic: quic && ((target, signal) => quic.dial(target, { signal })),
    });
    const deps: StreamDeps = {
      self,
      network: options.network,
      credentials: () => this.#credentials,
      session: (neighbour) => {
        const link = this.#links.primary(neighbour);
        return link && { peer: link.session.peer, openStream: link.openStream };
      },
      authorize: (header) => {
        this.#admission.authorize(header);
        this.#gate.authorize(header);
      },
      now: () => clock.wall(),
    };
    this.#acceptor = new StreamAcceptor({
      deps,
      gate: this.#gate,
      log,
      targets: options.targets,
      protocols: () => options.hooks.protocols(),
      handle: (protocol, stream, from) => options.hooks.handleStream(protocol, stream, from),
      control: (link, stream) => this.#control.run(link, new ControlChannel(stream)),
    });
    this.#streams = new MeshStreams({
      log,
      deps,
      gate: this.#gate,
      choose: (destination, avoid) => this.#routes.choose(destination, avoid),
      best: (destination, avoid) => this.#routes.best(destination, avoid),
      local: (request) =>
        openLocalStream(
          this.#credentials.certificate,
          request,
          (incoming) => this.#acceptor.serve(incoming),
        ),
    });
  }

  #begin(): void {
    for (const id of this.#options.revoked ?? []) this.#ownRevoked.add(id);
    this.#apply(this.#networkConfig.body);
    for (const listener of [this.#listeners.quic, this.#listeners.websocket]) {
      if (listener === undefined) continue;
      this.#tasks.add((async () => {
        for (;;) {
          const session = await listener.accept();
          if (session === null) return;
          this.#links.add(session);
        }
      })());
    }
    this.#publish();
    for (const peer of this.#options.peers) this.#dialler.configured(peer);
    if (this.#options.dialLearned) {
      for (const peer of this.#options.remembered) this.#dialler.learned(peer.id, peer.addresses);
    }
  }

  get id(): NodeId {
    return this.#credentials.key.id;
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  get listeners(): Listeners {
    return this.#listeners;
  }

  /** What this node tells others to dial now. */
  get addresses(): string[] {
    return advertisedAddresses({
      policy: this.#options.advertise,
      listen: this.#listeners.address,
      interfaces: this.#options.interfaces,
      observed: this.#observed,
    });
  }

  records(): Iterable<GossipRecord> {
    return this.#gossip.records();
  }

  record(id: NodeId): GossipRecord | undefined {
    return this.#gossip.get(id);
  }

  link(peer: NodeId): Link | undefined {
    return this.#links.primary(peer);
  }

  linkedPeers(): NodeId[] {
    return this.#links.peers();
  }

  measure(link: Link): { latencyMs: number; loss: number } | undefined {
    return this.#probes.measure(link);
  }

  /** Candidate paths to a node, best first, or the reason why there are none. */
  paths(destination: NodeId): Paths | NoPath {
    return this.#routes.paths(destination);
  }

  /** @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS */
  findNode(text: string): NodeId {
    const ids = function* (records: Iterable<GossipRecord>, more: Iterable<NodeId>) {
      for (const record of records) yield record.id;
      yield* more;
    };
    return findNode(text, ids(this.records(), [this.id, ...this.#links.peers()]), this.#names);
  }

  /** @throws {StreamError} */
  async openStream(
    request: StreamRequest,
    options: { signal?: AbortSignal } = {},
  ): Promise<MeshStream> {
    return await this.#streams.open(request, options);
  }

  /** New certificate, same key: used from the next handshake on; no session is touched. */
  async renew(credentials: Credentials): Promise<void> {
    this.#credentials = { ...credentials, trust: this.#trust.trust };
    this.#gossip.replaceCertificate(credentials);
    await this.#listeners.quic?.refreshCredentials();
    await this.#listeners.websocket?.refreshCredentials();
  }

  /** After a dial at which one end did not believe the other: the CA may have been rolled, and one of the two not know it. */
  async #askAtDoor(address: HostPort, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    if (!this.#bell.due(address, error, clock.now())) return;
    const where = formatHostPort(address);
    using deadline = new Deadline(doorTimeoutMs, signal);
    try {
      const { signal: limit } = deadline;
      const conversation = await openJoinConversation({ ...address, signal: limit });
      try {
        const asking = () => askAtDoor(conversation, this.#trust, { where, log });
        await exchangeWithin(doorTimeoutMs, limit, asking);
      } finally {
        // Its end may take longer than the next dial should wait.
        this.#tasks.add(Promise.resolve(conversation[Symbol.asyncDispose]()));
      }
    } catch (failure) {
      log("debug", "nobody tells of a CA roll", { address: where, error: errorText(failure) });
    }
  }

  /** Whose certificates count here. */
  get trust(): NodeTrust {
    return this.#trust;
  }

  /** Handshakes are judged by it from now on; links that are up live on while their peers have a certificate that counts. */
  #trustChanged(): void {
    const { trust, roll } = this.#trust;
    this.#credentials = { ...this.#credentials, trust };
    this.#gossip.setTrust(trust);
    const { websocket } = this.#listeners;
    if (websocket !== undefined) this.#tasks.add(websocket.refreshCredentials());
    if (roll?.roll.stage === "finished") this.#retired.schedule();
    if (roll !== null) this.#options.hooks.caRoll?.(roll);
  }

  /** The last word on a peer whose certificate is valid. @throws {LinkRefusedError} */
  admit(peer: NodeCertificate): void {
    this.#admission.admit(peer);
  }

  /** New rules: they hold for new streams at once, and open ones that they deny are cut. */
  setPolicy(rules: readonly AclRule[], nodes: Iterable<PolicyNode>): void {
    this.#tasks.add(this.#gate.replace(rules, nodes));
  }

  /** The rules in force. */
  get policy(): CompiledPolicy {
    return this.#gate.policy;
  }

  /** Nodes refused here. */
  get revoked(): ReadonlySet<NodeId> {
    return this.#admission.revoked;
  }

  /** Streams of users' traffic, by this node's part in them. */
  flowCounts(): ReturnType<PolicyGate["flowCounts"]> {
    return this.#gate.flowCounts();
  }

  gossipCounters(): Readonly<GossipCounters> {
    return this.#gossip.counters();
  }

  /** Round trips of all links since the start, in seconds. */
  get roundTrips(): MetricHistogram {
    return this.#probes.roundTrips;
  }

  /** Links that came back after they had been up before. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** The quickest way to every node, for tables. */
  ways(): Map<NodeId, QuickestWay> {
    return this.#routes.ways();
  }

  /** What the rules refused or cut here. */
  denials(): Denials {
    return this.#gate.denials();
  }

  get networkConfig(): NetworkConfig {
    return this.#networkConfig;
  }

  /** From now on these nodes get nothing: no session, no stream, no place in gossip. */
  async revoke(ids: readonly NodeId[]): Promise<void> {
    for (const id of ids) this.#ownRevoked.add(id);
    await this.#refuse();
  }

  /** Exactly those of this node's CA and of the network config are refused; whoever is new among them is cut off. */
  async #refuse(): Promise<void> {
    const revoked = new Set(this.#ownRevoked);
    for (const { node } of this.#networkConfig.body.revoked) revoked.add(node);
    // A node that refused itself could not even be told that it is no longer revoked.
    revoked.delete(this.id);
    const fresh = revoked.difference(this.#admission.revoked);
    this.#admission.setRevoked(revoked);
    this.#gossip.setRevoked(revoked);
    this.#routes.setRevoked(revoked);
    await Promise.all(
      Array.from(
        fresh,
        (id) => this.#links.drop(id, SessionCloseCode.revoked, "the node has been revoked"),
      ),
    );
  }

  #networkConfigChanged(): void {
    this.#apply(this.#networkConfig.body);
    this.#options.hooks.networkConfig?.(this.#networkConfig.news);
  }

  /** All of the network config that this node acts on, in one go. */
  #apply(body: ConfigBody): void {
    const names = new Map<string, NodeId>();
    const pins = new Map<NodeId, NodeId>();
    for (const [id, { name, pinnedVia }] of Object.entries(body.nodes)) {
      if (name !== null) names.set(name, id);
      if (pinnedVia !== null) pins.set(id, pinnedVia);
    }
    this.#names = names;
    this.#routes.setPins(pins);
    this.#tasks.add(this.#refuse());
    this.setPolicy(body.acls, this.#policyNodes.list(body, this.records()));
  }

  #primaryChanged(link: Link): void {
    this.#changed.notify();
    this.#routes.setLiveNeighbours(this.#links.peers());
    this.#dialler.considerUpgrade(link);
    if (!this.#started.has(link)) {
      this.#started.add(link);
      this.#tasks.add(this.#probes.run(link));
      if (link.role === "dialler") this.#tasks.add(this.#openControl(link));
    }
    this.#publish();
  }

  async #openControl(link: Link): Promise<void> {
    try {
      const channel = await ControlChannel.open(await link.openStream());
      await this.#control.run(link, channel);
    } catch (error) {
      this.#options.log("debug", "no control channel", {
        peer: link.peer,
        error: errorText(error),
      });
    }
  }

  #linkDown(peer: NodeId, reason: string): void {
    this.#observed.delete(peer);
    this.#changed.notify();
    this.#routes.setLiveNeighbours(this.#links.peers());
    this.#options.hooks.linkDown(peer, reason);
    this.#publish();
  }

  #controlMessage(link: Link, kind: number, body: Uint8Array): void {
    if (kind === controlKind.gossip) {
      this.#gossip.receive(link.peer, body);
    } else if (kind === controlKind.caRoll) {
      this.#trust.receive(link.peer, body);
    } else if (kind === controlKind.networkConfig) {
      this.#networkConfig.receive(link.peer, body);
    } else if (kind === controlKind.observedAddress && body.length <= 64) {
      // One word a peer about how it sees us; a lie costs others a failed dial of a certificate that does not fit.
      const address = readObservedAddress(body);
      if (address === undefined || address === this.#observed.get(link.peer)) return;
      this.#observed.set(link.peer, address);
      this.#publish();
    }
  }

  /** Tells a QUIC neighbour where it is seen from here: its listening port as its NAT maps it. */
  #sayObserved(peer: NodeId): void {
    const link = this.#links.primary(peer);
    if (link === undefined || link.kind === "websocket") return;
    const body = new TextEncoder().encode(link.session.remoteAddress);
    this.#control.send(peer, controlKind.observedAddress, body);
  }

  #learned(record: GossipRecord): void {
    this.#policyNodes.learned(record, this.#gate.policy.rules.length);
    if (this.#options.dialLearned) this.#dialler.learned(record.id, record.report.addresses);
  }

  #publish(): void {
    const links = this.#links.peers().flatMap((peer) => {
      const link = this.#links.primary(peer);
      const measure = link && this.#probes.measure(link);
      return measure === undefined ? [] : [{ peer, ...measure }];
    });
    this.#gossip.publish({
      addresses: this.addresses,
      version,
      capabilities: this.#options.capabilities,
      services: this.#options.services ?? [],
      exitCidrs: [],
      links,
    });
  }

  /** Configured addresses that could not be dialled, and why. */
  get dialFailures(): ReadonlyMap<string, string> {
    return this.#dialler.failures;
  }

  /** Highest gossip sequence used so far. */
  get sequence(): number {
    return this.#gossip.sequence;
  }

  /** Peers worth remembering for the next start: those known now; while nobody is, those of the last run. */
  remembered(): RememberedPeer[] {
    const result: RememberedPeer[] = [];
    for (const record of this.records()) {
      if (record.id === this.id || record.report.addresses.length === 0) continue;
      result.push({ id: record.id, addresses: record.report.addresses });
    }
    if (result.length === 0) return [...this.#options.remembered];
    return result.sort((a, b) =>
      Number(this.#links.primary(b.id) !== undefined) -
      Number(this.#links.primary(a.id) !== undefined)
    );
  }

  /** `host:port` of a listener, for status. */
  describeListeners(): { quic: string | null; websocket: string | null } {
    const at = formatHostPort(this.#listeners.address);
    return {
      quic: this.#listeners.quic === undefined ? null : at,
      websocket: this.#listeners.websocket === undefined ? null : at,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dialler[Symbol.asyncDispose]();
    this.#probes[Symbol.dispose]();
    this.#retired[Symbol.dispose]();
    await this.#trust[Symbol.asyncDispose]();
    this.#policyNodes[Symbol.dispose]();
    this.#gossip[Symbol.dispose]();
    await this.#networkConfig[Symbol.asyncDispose]();
    await this.#links[Symbol.asyncDispose]();
    await this.#listeners[Symbol.asyncDispose]();
    await this.#tasks.idle();
  }
}
