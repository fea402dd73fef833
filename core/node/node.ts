import { lookup } from "node:dns/promises";
import { formatHostPort, type HostPort, parseHostPort } from "../address/mod.ts";
import { errorText } from "../errors/mod.ts";
import { servesTarget } from "../exits/mod.ts";
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
import { advertisedAddresses } from "./advertise.ts";
import { ControlChannel, controlKind } from "./control_channel.ts";
import { ControlLinks } from "./control_links.ts";
import { DataPlaneView } from "./data_plane_view.ts";
import type { Denials } from "./denial_counts.ts";
import { meshAddressesOf } from "./directory.ts";
import { exitTargets } from "./exit_targets.ts";
import type { ExitView } from "./exit_view.ts";
import { exitViews } from "./exit_views.ts";
import { GossipDriver } from "./gossip_driver.ts";
import { type Link, LinkManager, type Traffic } from "./link_manager.ts";
import { type Listeners, openListeners } from "./listeners.ts";
import { openLocalStream } from "./local_stream.ts";
import { MeshRoutes } from "./mesh_routes.ts";
import { MeshStreams } from "./mesh_streams.ts";
import { findNode } from "./mesh_view.ts";
import { namesAndPins } from "./names_and_pins.ts";
import { NetworkConfig } from "./network_config.ts";
import type { NodeOptions } from "./node_options.ts";
import { NodeTrust } from "./node_trust.ts";
import { Notifier } from "./notifier.ts";
import { ObservedAddresses } from "./observed_addresses.ts";
import { PeerAddresses } from "./peer_addresses.ts";
import { PeerDialler } from "./peer_dialler.ts";
import type { RememberedPeer } from "./peers_store.ts";
import { PolicyGate } from "./policy_gate.ts";
import { PolicyNodes } from "./policy_nodes.ts";
import { datagramKind, ProbeDriver } from "./probe_driver.ts";
import { ReconnectCount } from "./reconnect_count.ts";
import { Refusals } from "./refusals.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import { RetiredLinks } from "./retired_links.ts";
import { askAtDoor, DoorBell, serveRollDoor } from "./roll_door.ts";
import { StreamAcceptor } from "./stream_acceptor.ts";
import { worthRemembering } from "./worth_remembering.ts";

/** Opening the door of a node, one question and its answer. */
const doorTimeoutMs = 5_000;

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
  /** Datagrams of the data plane over sessions. */
  readonly datagrams: SessionDatagrams;
  readonly dataPlane = new DataPlaneView(this);
  /** Ways out of the mesh. */
  readonly exits: ExitView;
  /** Those of them that packets can go. */
  readonly packetExits: ExitView;
  readonly #dialler: PeerDialler;
  readonly #peerAddresses: PeerAddresses;
  readonly #streams: MeshStreams;
  readonly #changed = new Notifier();
  readonly #observed: ObservedAddresses;
  readonly #reconnects = new ReconnectCount();
  readonly #tasks: TaskSet;
  #credentials: Credentials;
  readonly #refusals: Refusals;
  #names: ReadonlyMap<string, NodeId> = new Map();
  /** Links that have been given a control channel: once each, however often they become preferred. */
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
    this.#refusals = new Refusals({
      self,
      listed: () => this.#networkConfig.body.revoked,
      changed: (revoked, fresh) => this.#refuse(revoked, fresh),
    }, options.revoked ?? []);
    this.#gate = new PolicyGate({
      self,
      log,
      addresses: () => this.meshAddresses,
    });
    const now = () => clock.now();
    const random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
    this.#links = new LinkManager({
      self,
      log,
      events: {
        up: (peer, link) => {
          this.#reconnects.linked(peer);
          options.hooks.linkUp(peer, link.kind);
        },
        // Whichever of several sessions the other end prefers, its probes are answered there.
        added: (link) => this.#tasks.add(this.#probes.run(link)),
        primary: (_peer, link) => this.#primaryChanged(link),
        down: (peer, reason) => this.#linkDown(peer, reason),
        stream: (link, stream) => this.#acceptor.accept(link, stream),
      },
    });
    this.#observed = new ObservedAddresses({
      link: (peer) => this.#links.primary(peer),
      send: (peer, kind, body) => this.#control.send(peer, kind, body),
      changed: () => this.#publish(),
    });
    this.#control = new ControlLinks({
      log,
      primary: (peer) => this.#links.primary(peer),
      events: {
        up: (peer) => {
          this.#observed.tell(peer);
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
    const { exits, packetExits } = exitViews(options, {
      self,
      body: () => this.#networkConfig.body,
      pathsVersion: () => this.graphVersion,
      configVersion: () => this.#networkConfig.news.hash,
      addresses: () => this.#credentials.certificate.meshAddresses,
      paths: (destination) => this.paths(destination),
      findNode: (text) => this.findNode(text),
    });
    this.exits = exits;
    this.packetExits = packetExits;
    this.#gossip = new GossipDriver({
      network: options.network,
      credentials: options.credentials,
      initialSequence: options.initialSequence,
      clock,
      random,
      log,
      send: (peer, bytes) => this.#control.send(peer, controlKind.gossip, bytes),
      onRecord: (record) => this.#learned(record),
      onRemoved: (id) => {
        this.exits.removed(id);
        this.packetExits.removed(id);
        this.#dialler.forget(id);
      },
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
      problems: () => options.hooks.networkConfigProblems?.(),
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
    this.datagrams = new SessionDatagrams({
      link: (peer) => this.#links.primary(peer),
      kind: datagramKind.data,
    });
    this.#probes = new ProbeDriver({
      now,
      random,
      onData: (link, payload) => this.datagrams.received(link.peer, payload),
      onMeasure: () => this.#publish(),
      onDead: (link) => {
        log("warn", "link answers no probes", { peer: link.peer, transport: link.kind });
        this.#tasks.add(link.session.close(SessionCloseCode.idleTimeout, "probes unanswered"));
      },
    });
    this.#peerAddresses = new PeerAddresses({
      peers: options.peers,
      now,
      resolve: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
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
      exitTargets: (targets) =>
        exitTargets(
          targets,
          (address) => servesTarget(address, this.exits.own(), this.exits.meshCidrs()),
        ),
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

  /** Its own addresses in the mesh: those of its certificate, unless the network config says otherwise. */
  get meshAddresses(): readonly string[] {
    const { certificate } = this.#credentials;
    return meshAddressesOf(certificate, this.#networkConfig.body.nodes[this.id]);
  }

  get listeners(): Listeners {
    return this.#listeners;
  }

  /** What this node tells others to dial now. */
  get addresses(): string[] {
    // What leads through the mesh does not lead to it.
    const inside = this.meshAddresses;
    return advertisedAddresses({
      policy: this.#options.advertise,
      listen: this.#listeners.address,
      interfaces: this.#options.interfaces().filter((address) => !inside.includes(address)),
      observed: this.#observed.seen,
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

  /** Moves when paths may be others. */
  get graphVersion(): string {
    return this.#routes.version;
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
    const { body } = this.#networkConfig;
    this.setPolicy(body.acls, this.#policyNodes.list(body, this.records()));
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

  /** Bytes over all links since the start. */
  traffic(): Traffic {
    return this.#links.traffic();
  }

  /** Links that came back after they had been up before. */
  get reconnects(): number {
    return this.#reconnects.count;
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
    await this.#refusals.add(ids);
  }

  async #refuse(revoked: ReadonlySet<NodeId>, fresh: ReadonlySet<NodeId>): Promise<void> {
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
    const { names, pins } = namesAndPins(body);
    this.#names = names;
    this.#routes.setPins(pins);
    this.#tasks.add(this.#refusals.apply());
    this.setPolicy(body.acls, this.#policyNodes.list(body, this.records()));
  }

  #primaryChanged(link: Link): void {
    this.#changed.notify();
    this.#routes.setLiveNeighbours(this.#links.peers());
    this.#dialler.considerUpgrade(link);
    if (!this.#started.has(link)) {
      this.#started.add(link);
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
    this.#observed.forget(peer);
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
    } else if (kind === controlKind.observedAddress) {
      this.#observed.told(link.peer, body);
    }
  }

  #learned(record: GossipRecord): void {
    this.exits.learned(record);
    this.packetExits.learned(record);
    this.#policyNodes.learned(record, this.#networkConfig.body.acls.length);
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
      exitCidrs: this.#options.exit?.cidrs ?? [],
      links,
    });
  }

  /** Addresses of the peers the operator named, and of those of the last run. */
  get peerAddresses(): readonly HostPort[] {
    const remembered = this.#options.remembered.flatMap(({ addresses }) => addresses);
    return [...this.#peerAddresses.list(), ...remembered.map(parseHostPort)];
  }

  /** Configured addresses that could not be dialled, and why. */
  get dialFailures(): ReadonlyMap<string, string> {
    return this.#dialler.failures;
  }

  /** Highest gossip sequence used so far. */
  get sequence(): number {
    return this.#gossip.sequence;
  }

  /** Peers worth remembering for the next start. */
  remembered(): RememberedPeer[] {
    return worthRemembering({
      self: this.id,
      records: this.records(),
      lastRun: this.#options.remembered,
      linked: (peer) => this.#links.primary(peer) !== undefined,
    });
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
