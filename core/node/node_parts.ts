import { errorText } from "../errors/mod.ts";
import type { GossipRecord } from "../gossip/types.ts";
import type { Credentials, NodeId } from "../identity/types.ts";
import { type LinkPolicy, SessionCloseCode } from "../sessions/types.ts";
import { TaskSet } from "../tasks/mod.ts";
import { Admission } from "./admission.ts";
import { advertisedAddresses } from "./advertise.ts";
import { AppliedConfig } from "./applied_config.ts";
import { controlKind } from "./control_channel.ts";
import { type ControlParty, ControlTraffic } from "./control_traffic.ts";
import { dialling } from "./dialling.ts";
import { meshAddressesOf } from "./directory.ts";
import type { ExitView } from "./exit_view.ts";
import { exitViews } from "./exit_views.ts";
import { GossipDriver } from "./gossip_driver.ts";
import { type Link, LinkManager } from "./link_manager.ts";
import type { Listeners } from "./listeners.ts";
import { MeshRoutes } from "./mesh_routes.ts";
import type { MeshStreams } from "./mesh_streams.ts";
import { findNode } from "./mesh_view.ts";
import { NetworkConfig } from "./network_config.ts";
import type { NodeOptions } from "./node_options.ts";
import type { NodeTrust } from "./node_trust.ts";
import { Notifier } from "./notifier.ts";
import { ObservedAddresses } from "./observed_addresses.ts";
import { ownReport } from "./own_report.ts";
import type { PeerAddresses } from "./peer_addresses.ts";
import type { PeerDialler } from "./peer_dialler.ts";
import { PolicyGate } from "./policy_gate.ts";
import { datagramKind, ProbeDriver } from "./probe_driver.ts";
import { ReconnectCount } from "./reconnect_count.ts";
import { Refusals } from "./refusals.ts";
import { RetiredLinks } from "./retired_links.ts";
import { SessionDatagrams } from "./session_datagrams.ts";
import type { StreamAcceptor } from "./stream_acceptor.ts";
import { streamParts } from "./stream_parts.ts";

/** The parts of a node, wired together: what happens at one of them is told to the others here. */
export class NodeParts implements AsyncDisposable {
  readonly self: NodeId;
  readonly options: NodeOptions;
  readonly listeners: Listeners;
  readonly links: LinkManager;
  readonly gossip: GossipDriver;
  readonly routes: MeshRoutes;
  readonly admission: Admission;
  readonly gate: PolicyGate;
  readonly refusals: Refusals;
  readonly networkConfig: NetworkConfig;
  readonly appliedConfig: AppliedConfig;
  readonly trust: NodeTrust;
  readonly probes: ProbeDriver;
  readonly datagrams: SessionDatagrams;
  readonly exits: ExitView;
  readonly packetExits: ExitView;
  readonly dialler: PeerDialler;
  readonly peerAddresses: PeerAddresses;
  readonly streams: MeshStreams;
  readonly reconnects = new ReconnectCount();
  readonly #control: ControlTraffic;
  readonly #retired: RetiredLinks;
  readonly #acceptor: StreamAcceptor;
  readonly #changed = new Notifier();
  readonly #observed: ObservedAddresses;
  readonly #tasks: TaskSet;
  #credentials: Credentials;

  constructor(options: NodeOptions, listeners: Listeners, policy: LinkPolicy, trust: NodeTrust) {
    const { clock, log } = options;
    const self = this.self = options.credentials.key.id;
    this.options = options;
    this.trust = trust;
    this.#credentials = options.credentials;
    this.listeners = listeners;
    this.#tasks = new TaskSet((error) => {
      log("error", "node task failed", { error: errorText(error) });
    });
    this.admission = new Admission({ self, linked: () => this.links.peers() });
    this.refusals = new Refusals({
      self,
      listed: () => this.networkConfig.body.revoked,
      changed: (revoked, fresh) => this.#refuse(revoked, fresh),
    }, options.revoked ?? []);
    this.gate = new PolicyGate({ self, log, addresses: () => this.meshAddresses });
    const now = () => clock.now();
    const random = () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32;
    this.links = new LinkManager({
      self,
      log,
      events: {
        up: (peer, link) => {
          this.reconnects.linked(peer);
          options.hooks.linkUp(peer, link.kind);
        },
        // Whichever of several sessions the other end prefers, its probes are answered there.
        added: (link) => this.#tasks.add(this.probes.run(link)),
        primary: (_peer, link) => this.#primaryChanged(link),
        down: (peer, reason) => this.#linkDown(peer, reason),
        stream: (link, stream) => this.#acceptor.accept(link, stream),
      },
    });
    this.#observed = new ObservedAddresses({
      link: (peer) => this.links.primary(peer),
      send: (peer, kind, body) => this.#control.send(peer, kind, body),
      changed: () => this.#publish(),
    });
    this.#control = new ControlTraffic({
      log,
      links: this.links,
      observed: this.#observed,
      parties: () => parties,
    });
    const { exits, packetExits } = exitViews(options, {
      self,
      body: () => this.networkConfig.body,
      pathsVersion: () => this.routes.version,
      configVersion: () => this.networkConfig.news.hash,
      addresses: () => this.#credentials.certificate.meshAddresses,
      paths: (destination) => this.routes.paths(destination),
      findNode: (text) => this.findNode(text),
    });
    this.exits = exits;
    this.packetExits = packetExits;
    this.gossip = new GossipDriver({
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
        this.dialler.forget(id);
      },
    });
    this.networkConfig = new NetworkConfig({
      network: options.network,
      self,
      credentials: () => this.#credentials,
      trust: () => trust.trust,
      storage: options.networkConfig,
      clock,
      log,
      send: (peer, bytes) => this.#control.send(peer, controlKind.networkConfig, bytes),
      changed: () => {
        this.appliedConfig.apply();
        options.hooks.networkConfig?.(this.networkConfig.news);
      },
      problems: () => options.hooks.networkConfigProblems?.(),
    });
    // What comes behind the word of the CAs may be signed by the new one.
    const parties = new Map<number, ControlParty>([
      [controlKind.caRoll, trust],
      [controlKind.gossip, this.gossip],
      [controlKind.networkConfig, this.networkConfig],
    ]);
    trust.connect({
      send: (peer, bytes) => this.#control.send(peer, controlKind.caRoll, bytes),
      changed: () => this.#trustChanged(),
    });
    this.#retired = new RetiredLinks({
      trust: () => trust.trust,
      linked: () =>
        this.links.peers().flatMap((peer) => {
          const link = this.links.primary(peer);
          return link === undefined ? [] : [{ peer, shown: link.session.peer }];
        }),
      current: (peer) => this.gossip.get(peer)?.certificate,
      drop: (peer) => {
        const why = "its certificate is of a CA that was retired";
        this.#tasks.add(this.links.drop(peer, SessionCloseCode.unauthenticated, why));
      },
    });
    this.routes = new MeshRoutes({
      self,
      random,
      records: () => this.gossip.records(),
      graphVersion: () => this.gossip.graphVersion,
    });
    this.appliedConfig = new AppliedConfig({
      body: () => this.networkConfig.body,
      records: () => this.gossip.records(),
      routes: this.routes,
      refusals: this.refusals,
      gate: this.gate,
      tasks: this.#tasks,
    });
    this.datagrams = new SessionDatagrams({
      link: (peer) => this.links.primary(peer),
      kind: datagramKind.data,
    });
    this.probes = new ProbeDriver({
      now,
      random,
      onData: (link, payload) => this.datagrams.received(link.peer, payload),
      onMeasure: () => this.#publish(),
      onDead: (link) => {
        log("warn", "link answers no probes", { peer: link.peer, transport: link.kind });
        this.#tasks.add(link.session.close(SessionCloseCode.idleTimeout, "probes unanswered"));
      },
    });
    const { dialler, peerAddresses } = dialling(options, {
      listeners,
      policy,
      trust,
      links: this.links,
      changed: this.#changed,
      tasks: this.#tasks,
      random,
    });
    this.dialler = dialler;
    this.peerAddresses = peerAddresses;
    const { acceptor, streams } = streamParts(options, {
      credentials: () => this.#credentials,
      links: this.links,
      routes: this.routes,
      control: this.#control,
      admission: this.admission,
      gate: this.gate,
      exits,
    });
    this.#acceptor = acceptor;
    this.streams = streams;
  }

  /** From now on sessions are taken, and dialled. */
  begin(): void {
    this.appliedConfig.apply();
    for (const listener of [this.listeners.quic, this.listeners.websocket]) {
      if (listener === undefined) continue;
      this.#tasks.add((async () => {
        for (;;) {
          const session = await listener.accept();
          if (session === null) return;
          this.links.add(session);
        }
      })());
    }
    this.#publish();
    const { peers, dialLearned, remembered } = this.options;
    for (const peer of peers) this.dialler.configured(peer);
    if (dialLearned) {
      for (const peer of remembered) {
        this.dialler.learned(peer.id, peer.addresses);
      }
    }
  }

  get credentials(): Credentials {
    return this.#credentials;
  }

  get meshAddresses(): readonly string[] {
    const { certificate } = this.#credentials;
    return meshAddressesOf(certificate, this.networkConfig.body.nodes[this.self]);
  }

  /** What others are told to dial now. */
  get addresses(): string[] {
    // What leads through the mesh does not lead to it.
    const inside = this.meshAddresses;
    return advertisedAddresses({
      policy: this.options.advertise,
      listen: this.listeners.address,
      interfaces: this.options.interfaces().filter((address) => !inside.includes(address)),
      observed: this.#observed.seen,
    });
  }

  /** @throws {PulseError} NODE_UNKNOWN, NODE_AMBIGUOUS */
  findNode(text: string): NodeId {
    const ids = function* (records: Iterable<GossipRecord>, more: Iterable<NodeId>) {
      for (const record of records) yield record.id;
      yield* more;
    };
    const known = ids(this.gossip.records(), [this.self, ...this.links.peers()]);
    return findNode(text, known, this.appliedConfig.names);
  }

  /** New certificate, same key. */
  async renew(credentials: Credentials): Promise<void> {
    this.#credentials = { ...credentials, trust: this.trust.trust };
    this.gossip.replaceCertificate(credentials);
    this.appliedConfig.renewPolicy();
    await this.listeners.quic?.refreshCredentials();
    await this.listeners.websocket?.refreshCredentials();
  }

  /** Handshakes are judged by it from now on; links that are up live on while their peers have a certificate that counts. */
  #trustChanged(): void {
    const { trust, roll } = this.trust;
    this.#credentials = { ...this.#credentials, trust };
    this.gossip.setTrust(trust);
    const { websocket } = this.listeners;
    if (websocket !== undefined) this.#tasks.add(websocket.refreshCredentials());
    if (roll?.roll.stage === "finished") this.#retired.schedule();
    if (roll !== null) this.options.hooks.caRoll?.(roll);
  }

  async #refuse(revoked: ReadonlySet<NodeId>, fresh: ReadonlySet<NodeId>): Promise<void> {
    this.admission.setRevoked(revoked);
    this.gossip.setRevoked(revoked);
    this.routes.setRevoked(revoked);
    await Promise.all(
      Array.from(
        fresh,
        (id) => this.links.drop(id, SessionCloseCode.revoked, "the node has been revoked"),
      ),
    );
  }

  #primaryChanged(link: Link): void {
    this.#changed.notify();
    this.routes.setLiveNeighbours(this.links.peers());
    this.dialler.considerUpgrade(link);
    this.#tasks.add(this.#control.open(link));
    this.#publish();
  }

  #linkDown(peer: NodeId, reason: string): void {
    this.#observed.forget(peer);
    this.#changed.notify();
    this.routes.setLiveNeighbours(this.links.peers());
    this.options.hooks.linkDown(peer, reason);
    this.#publish();
  }

  #learned(record: GossipRecord): void {
    this.exits.learned(record);
    this.packetExits.learned(record);
    this.appliedConfig.learned(record);
    if (this.options.dialLearned) this.dialler.learned(record.id, record.report.addresses);
  }

  #publish(): void {
    this.gossip.publish(ownReport(this.options, this.addresses, this.links, this.probes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dialler[Symbol.asyncDispose]();
    this.probes[Symbol.dispose]();
    this.#retired[Symbol.dispose]();
    await this.trust[Symbol.asyncDispose]();
    this.appliedConfig[Symbol.dispose]();
    this.gossip[Symbol.dispose]();
    await this.networkConfig[Symbol.asyncDispose]();
    await this.links[Symbol.asyncDispose]();
    await this.listeners[Symbol.asyncDispose]();
    await this.#tasks.idle();
  }
}
