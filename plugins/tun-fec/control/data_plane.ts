import { errorCode, errorText } from "../../../core/errors/mod.ts";
import type { NodeId } from "../../../core/identity/mod.ts";
import type { HostServices, LogFn } from "../../../core/plugin/types.ts";
import type { ByteStream } from "../../../core/sessions/types.ts";
import {
  datagramsProtocol,
  segmentsProtocol,
  SessionCarrier,
} from "../carriers/session_carrier.ts";
import { type KeyTimes, offersKeys } from "../keys/key_agreement.ts";
import { keysProtocol } from "../keys/key_exchange.ts";
import { ciphers } from "../keys/key_message.ts";
import { IndexTable } from "../labels/index_table.ts";
import { labelProtocol } from "../labels/label_lease.ts";
import { LabelLeases, type WantedLease } from "../labels/label_leases.ts";
import { LabelServer } from "../labels/label_server.ts";
import type { LoopPort } from "../loop/loop_port.ts";
import type { LoopCommand, LoopEvent, LoopStats, PeerTable } from "../loop/types.ts";
import { ruleTables } from "../mesh/rule_tables.ts";
import { type MeshLink, type MeshNode, type MeshSnapshot, readSnapshot } from "../mesh/snapshot.ts";
import { dataEndpoint, type PathFacts, planPaths } from "../paths/plan_paths.ts";
import { sleep } from "../sleep.ts";
import { Peer } from "./peer.ts";

/** What changes within this time is told to the loop at once. */
const gatherMs = 50;
/** What no hook tells of is seen at the latest after this. */
const tickMs = 1_000;
/** A node may be heard of by its own stream before the mesh tells of it: so long that one waits. */
const unknownMs = 5_000;
/** A new key waits no longer for labels of its own. */
const labelWaitMs = 2_000;

/** How packets to a peer travel. */
export type CarrierName = "fast" | "quic" | "websocket";

export interface DataPlaneOptions {
  readonly host: Pick<HostServices, "call" | "openStream">;
  readonly loop: LoopPort;
  /** UDP port of the loop where that is not QUIC's; else 0. */
  readonly port: number;
  readonly fec: boolean;
  readonly keyTimes?: Partial<KeyTimes>;
  /** The mesh is another one: for the interface. */
  meshChanged(mesh: MeshSnapshot): void;
  /** Uniform in [0, 1), unpredictable. */
  readonly random: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: LogFn;
}

/**
 * Everything about packets but the packets: who there is, by what ways, under which keys and rules. All of it goes to the loop as
 * tables and keys; what the loop says comes back by `heard()`.
 */
export class DataPlane implements Disposable {
  readonly #options: DataPlaneOptions;
  readonly #indexes: IndexTable<unknown>;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #byIndex = new Map<number, Peer>();
  /** Indexes of peers, kept when they go: none is given to another one. */
  readonly #known = new Map<NodeId, number>();
  readonly #leases: LabelLeases;
  readonly #labels: LabelServer;
  readonly #carrier: SessionCarrier;
  readonly #ticker: ReturnType<typeof setInterval>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #mesh: MeshSnapshot | undefined;
  #links: ReadonlyMap<NodeId, MeshLink> = new Map();
  #work = Promise.resolve();
  #told = "";
  #version = 0;
  #carriers = "";
  #stats: LoopStats | undefined;
  #failing = false;
  #disposed = false;
  /** Ends when there is another mesh. */
  #news = new AbortController();

  constructor(options: DataPlaneOptions) {
    const { host, log, now } = options;
    this.#options = options;
    this.#indexes = new IndexTable(options.random);
    const open = (node: NodeId, protocol: string, signal?: AbortSignal) =>
      host.openStream({ node, protocol, port: 0 }, signal && { signal });
    this.#leases = new LabelLeases({
      open: (relay, signal) => open(relay, labelProtocol, signal),
      changed: () => this.#soon(),
      log,
    });
    this.#labels = new LabelServer({
      self: () => this.#mesh?.self,
      indexes: this.#indexes,
      mayCarry: async (from, to) => await host.call("dataplane", "mayCarry", { from, to }) === true,
      endpoint: (neighbour) => this.#endpoint(neighbour),
      open: (relay) => open(relay, labelProtocol),
      changed: () => this.#soon(),
      log,
    });
    this.#carrier = new SessionCarrier({
      openDatagrams: async () => {
        // Before the node has joined nobody has a session.
        const self = this.#mesh?.self;
        if (self === undefined) throw new Error("the mesh is not known yet");
        return await open(self, datagramsProtocol);
      },
      openSegments: (peer) => open(peer, segmentsProtocol),
      linked: (id) => this.#links.has(id),
      deliver: (from, bytes) => options.loop.tell({ do: "segment", from, bytes: bytes.slice() }),
      now,
      log,
    });
    this.#ticker = setInterval(() => {
      for (const peer of this.#peers.values()) peer.tick();
      this.#carrier.tick();
      options.loop.tell({ do: "stats" });
      this.#soon();
    }, tickMs);
    this.#soon();
  }

  /** Something in the mesh is different. */
  meshChanged(): void {
    this.#soon();
  }

  /** Protocols of the mesh that this part serves. */
  get streams(): Readonly<Record<string, (stream: ByteStream, from: NodeId) => Promise<void>>> {
    return {
      [keysProtocol]: async (stream, from) => {
        const peer = await this.#peer(from);
        if (peer === undefined) stream.reset();
        else await peer.accept(stream);
      },
      [labelProtocol]: async (stream, from) => {
        if (await this.#peer(from) === undefined) stream.reset();
        else await this.#labels.serve(stream, from);
      },
      [segmentsProtocol]: async (stream, from) => {
        if (await this.#peer(from) === undefined) stream.reset();
        else await this.#carrier.accept(stream, from);
      },
    };
  }

  /** What the loop says; `ready`, `failed` and `portUnshareable` are for whoever runs it. */
  heard(event: LoopEvent): void {
    switch (event.say) {
      case "heard":
        this.#byIndex.get(event.peer)?.heard(event.epoch);
        break;
      case "sealed":
        this.#byIndex.get(event.peer)?.sealed(event.segments);
        break;
      case "roamed":
        this.#roamed(event.peer, event.endpoint);
        break;
      case "segment":
        this.#carrier.send(event.to, event.bytes);
        break;
      case "stats":
        this.#stats = event.stats;
        break;
      case "pathMtu":
        this.#options.log("debug", "the path to a peer carries", {
          peer: this.#byIndex.get(event.peer)?.id,
          bytes: event.bytes,
        });
    }
  }

  /** What the loop counted, no older than a second or two; undefined before it has said anything. */
  get stats(): LoopStats | undefined {
    return this.#stats;
  }

  /** Segments that no session took. */
  get sessionDrops(): number {
    return this.#carrier.dropped;
  }

  /** The peer that the loop knows by this number. */
  peerOf(index: number): NodeId | undefined {
    return this.#byIndex.get(index)?.id;
  }

  /** Peers there are keys for. */
  get sealing(): number {
    return this.#peers.values().filter(({ receiver }) => receiver !== undefined).toArray().length;
  }

  /** A peer that has just appeared may be heard of here before core was asked for it, or knows it. */
  async #peer(id: NodeId): Promise<Peer | undefined> {
    const { now } = this.#options;
    const until = now() + unknownMs;
    if (!this.#peers.has(id)) await this.#refresh();
    while (!this.#peers.has(id) && !this.#disposed && now() < until) {
      await sleep(until - now(), this.#news.signal);
    }
    return this.#peers.get(id);
  }

  #soon(): void {
    if (this.#disposed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, gatherMs);
  }

  /** One after the other. Never rejects. */
  #refresh(): Promise<void> {
    return this.#work = this.#work.then(async () => {
      try {
        const { host } = this.#options;
        const known = this.#mesh?.version ?? 0;
        const mesh = readSnapshot(await host.call("dataplane", "snapshot", { known }));
        if (this.#disposed) return;
        if (mesh !== null) await this.#take(mesh);
        this.#push();
        await this.#reportCarriers();
        this.#failing = false;
      } catch (error) {
        if (!this.#disposed && !this.#failing && errorCode(error) !== "NODE_NOT_JOINED") {
          this.#options.log("warn", "the mesh could not be looked at", { error: errorText(error) });
          this.#failing = true;
        }
      }
    });
  }

  async #take(mesh: MeshSnapshot): Promise<void> {
    this.#mesh = mesh;
    this.#links = new Map(mesh.links.map((link) => [link.id, link]));
    this.#options.meshChanged(mesh);
    const nodes = new Set(mesh.nodes.map(({ id }) => id));
    for (const [id, peer] of this.#peers) {
      if (nodes.has(id)) continue;
      peer[Symbol.dispose]();
      this.#peers.delete(id);
      this.#byIndex.delete(peer.index);
    }
    for (const id of nodes) if (!this.#peers.has(id)) this.#add(id, mesh.self);
    for (const { id, paths } of mesh.nodes) {
      this.#peers.get(id)!.reached(
        JSON.stringify([this.#links.get(id), paths.map((p) => p.nodes)]),
      );
    }
    this.#carrier.keep((id) => nodes.has(id));
    this.#news.abort();
    this.#news = new AbortController();
    await this.#labels.recheck();
  }

  #add(id: NodeId, self: NodeId): void {
    const { host, loop, port, keyTimes, now, log } = this.#options;
    const index = this.#known.get(id) ?? this.#known.size + 1;
    this.#known.set(id, index);
    const peer = new Peer({
      id,
      index,
      agreement: {
        initiator: offersKeys(self, id),
        ciphers,
        secret: () => crypto.getRandomValues(new Uint8Array(32)),
        ...(keyTimes !== undefined && { times: keyTimes }),
      },
      hello: { port },
      indexes: this.#indexes,
      loop,
      open: (signal) => host.openStream({ node: id, protocol: keysProtocol, port: 0 }, { signal }),
      changed: () => this.#soon(),
      now,
      log,
    });
    this.#peers.set(id, peer);
    this.#byIndex.set(index, peer);
  }

  /** Tells the loop what has changed: tables before the keys that need them. */
  #push(): void {
    const mesh = this.#mesh;
    if (mesh === undefined) return;
    const seals: LoopCommand[] = [];
    const leases: WantedLease[] = [];
    const peers: PeerTable[] = [];
    for (const node of mesh.nodes) {
      const peer = this.#peers.get(node.id)!;
      this.#advance(node, peer, seals, leases);
      const plan = planPaths(node, this.#facts(peer.receiver));
      leases.push(...plan.leases);
      peers.push({
        id: node.id,
        index: peer.index,
        addresses: node.addresses.map(hostCidr),
        behind: node.behind,
        inbound: ruleTables(mesh.rules[node.inbound]!, false),
        outbound: ruleTables(mesh.rules[node.outbound]!, false),
        paths: plan.paths,
        fec: this.#options.fec && node.fec,
      });
    }
    this.#leases.want(leases);
    const self = { addresses: mesh.addresses.map(hostCidr), behind: mesh.behind };
    const tables = { self, peers, labels: this.#labels.tables() };
    const text = JSON.stringify(tables);
    const commands = [...seals];
    if (text !== this.#told) {
      this.#told = text;
      commands.unshift({ do: "tables", tables: { version: ++this.#version, ...tables } });
    }
    if (commands.length > 0) this.#options.loop.tell(...commands);
  }

  /** A new key is sealed with once there is a label that leads to it on every path; relays write its name on segments. */
  #advance(node: MeshNode, peer: Peer, seals: LoopCommand[], leases: WantedLease[]): void {
    const { next } = peer;
    if (next === undefined) return;
    const plan = planPaths(node, this.#facts(next.receiver));
    const ready = plan.leases.every((lease) => this.#leases.label(lease) !== undefined);
    if (ready || peer.receiver === undefined || next.waitedMs >= labelWaitMs) {
      seals.push({ do: "seal", peer: peer.index, key: peer.takeNext() });
    } else {
      leases.push(...plan.leases);
    }
  }

  #facts(receiver: number | undefined): PathFacts {
    return {
      link: (id) => this.#links.get(id),
      carries: (id) => this.#peers.has(id),
      dataPort: (id) => this.#peers.get(id)?.dataPort,
      roamed: (id) => {
        const roamed = this.#peers.get(id)?.roamed;
        return roamed?.remote === this.#links.get(id)?.remote ? roamed?.endpoint : undefined;
      },
      receiver,
      label: (lease) => this.#leases.label(lease),
      doubtful: (lease) => this.#leases.doubtful(lease),
    };
  }

  #endpoint(neighbour: NodeId): string | undefined {
    return dataEndpoint(this.#facts(undefined), neighbour);
  }

  #roamed(index: number, endpoint: string): void {
    const peer = this.#byIndex.get(index);
    const link = peer && this.#links.get(peer.id);
    if (peer === undefined || link === undefined) return;
    // What comes through a relay comes from the relay.
    for (const id of this.#links.keys()) {
      if (id !== peer.id && this.#endpoint(id) === endpoint) return;
    }
    peer.roamed = { endpoint, remote: link.remote };
    this.#soon();
  }

  async #reportCarriers(): Promise<void> {
    const carriers: Record<NodeId, CarrierName> = {};
    for (const node of this.#mesh?.nodes ?? []) {
      const carrier = this.#carrierOf(node);
      if (carrier !== undefined) carriers[node.id] = carrier;
    }
    const text = JSON.stringify(carriers);
    if (text === this.#carriers) return;
    await this.#options.host.call("dataplane", "carriers", carriers);
    this.#carriers = text;
  }

  #carrierOf(node: MeshNode): CarrierName | undefined {
    const receiver = this.#peers.get(node.id)?.receiver;
    if (receiver === undefined) return undefined;
    const { paths } = planPaths(node, this.#facts(receiver));
    if (paths.length === 0) return undefined;
    if (paths.some(({ endpoint }) => endpoint !== null)) return "fast";
    const first = this.#links.get(node.paths[0]!.nodes[1]!);
    return first?.kind === "websocket" ? "websocket" : "quic";
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#news.abort();
    clearInterval(this.#ticker);
    clearTimeout(this.#timer);
    for (const peer of this.#peers.values()) peer[Symbol.dispose]();
    this.#leases[Symbol.dispose]();
    this.#labels[Symbol.dispose]();
    this.#carrier[Symbol.dispose]();
  }
}

function hostCidr(address: string): string {
  return `${address}/${address.includes(":") ? 128 : 32}`;
}
