import {
  type GossipEffects,
  GossipEngine,
  LinkNews,
  type LinkReport,
  type SelfReport,
  type ServiceReport,
} from "../../core/gossip/mod.ts";
import type { Credentials, NodeId } from "../../core/identity/mod.ts";
import { reportedLinks } from "../../core/node/mesh_view.ts";
import { LinkProber, Router } from "../../core/router/mod.ts";
import type { Prng } from "./prng.ts";
import type { SharedFacts } from "./facts.ts";

/** What a node needs from the world it lives in. */
export interface Surroundings {
  readonly facts: SharedFacts;
  readonly network: string;
  now(): number;
  sendGossip(from: SimNode, to: NodeId, bytes: Uint8Array): void;
  sendProbe(from: SimNode, to: NodeId, bytes: Uint8Array): void;
  /** The prober has given up. */
  linkDead(from: SimNode, to: NodeId): void;
  happened(node: SimNode, effects: GossipEffects): void;
}

/** One node of the mesh: the product's gossip engine, router and probers, without sockets and timers. */
export class SimNode {
  readonly index: number;
  readonly credentials: Credentials;
  readonly random: Prng;
  alive = false;
  /** The wake-up in the queue that counts; earlier ones are stale. */
  wakeAt = Infinity;
  /** Gossip bytes handed to links. */
  bytesSent = 0;
  readonly services: ServiceReport[] = [];
  readonly #world: Surroundings;
  readonly #sign: (message: Uint8Array) => Uint8Array;
  readonly #probers = new Map<NodeId, LinkProber>();
  #news = new LinkNews();
  #links: readonly LinkReport[] = [];
  #engine: GossipEngine | undefined;
  #router: Router | undefined;

  constructor(index: number, credentials: Credentials, random: Prng, world: Surroundings) {
    this.index = index;
    this.credentials = credentials;
    this.random = random;
    this.#world = world;
    this.#sign = world.facts.witness(this.id, (message) => credentials.key.sign(message));
  }

  get id(): NodeId {
    return this.credentials.certificate.id;
  }

  get engine(): GossipEngine {
    if (this.#engine === undefined) throw new Error(`node ${this.index} has not been started`);
    return this.#engine;
  }

  /** Peers with a session. */
  peers(): Iterable<NodeId> {
    return this.#probers.keys();
  }

  hasPeer(id: NodeId): boolean {
    return this.#probers.has(id);
  }

  /** Begins a life: nothing is known, not even the sequence of the life before. */
  start(): void {
    const { facts, network } = this.#world;
    const now = this.#world.now();
    this.alive = true;
    this.#probers.clear();
    this.#news = new LinkNews();
    this.#links = [];
    this.#engine = new GossipEngine({
      self: { certificate: this.credentials.certificate, sign: this.#sign },
      network,
      report: this.#report(),
      now,
      random: () => this.random.next(),
      verifyCertificate: facts.verifyCertificate,
      verifySignature: facts.verifySignature,
      readContent: facts.readContent,
      keepHead: facts.keepHead,
    });
    this.#router = new Router({ self: this.id, random: () => this.random.next() });
  }

  stop(): void {
    this.alive = false;
    this.#probers.clear();
    this.wakeAt = Infinity;
  }

  linkUp(peer: NodeId): void {
    this.#probers.set(peer, new LinkProber({ random: () => this.random.next() }));
    this.#apply(this.engine.linkUp(peer, this.#world.now()));
    this.#publish();
  }

  linkDown(peer: NodeId): void {
    if (!this.#probers.delete(peer)) return;
    this.#apply(this.engine.linkDown(peer, this.#world.now()));
    this.#publish();
  }

  receiveGossip(from: NodeId, bytes: Uint8Array): void {
    this.#apply(this.engine.receive(from, bytes, this.#world.now()));
  }

  receiveProbe(from: NodeId, bytes: Uint8Array): void {
    const { reply } = this.#probers.get(from)?.receive(bytes, this.#world.now()) ?? {};
    if (reply !== undefined) this.#world.sendProbe(this, from, reply);
    else this.#publish();
  }

  tick(): void {
    const now = this.#world.now();
    for (const [peer, prober] of this.#probers) {
      if (prober.nextWake() > now) continue;
      const { send, dead } = prober.tick(now);
      if (send !== undefined) this.#world.sendProbe(this, peer, send);
      if (dead) this.#world.linkDead(this, peer);
    }
    if (this.engine.nextWake() <= now) this.#apply(this.engine.tick(now));
  }

  nextWake(): number {
    let at = this.engine.nextWake();
    for (const prober of this.#probers.values()) at = Math.min(at, prober.nextWake());
    return at;
  }

  /** A change for everybody to learn of. */
  addService(service: ServiceReport): void {
    this.services.push(service);
    this.#say();
  }

  /** The router, told what the records and the sessions say now. */
  freshRouter(): Router {
    const router = this.#router!;
    const { engine } = this;
    const records = [...engine.records()];
    router.setTopology(reportedLinks(records), engine.graphVersion, records.map(({ id }) => id));
    router.setLiveNeighbours(this.peers());
    return router;
  }

  #publish(): void {
    const measures: LinkReport[] = [];
    for (const [peer, prober] of this.#probers) {
      const { latencyMs, loss } = prober.quality;
      if (latencyMs !== null) measures.push({ peer, latencyMs, loss });
    }
    const links = this.#news.reports(measures, this.#world.now());
    const same = links.length === this.#links.length &&
      links.every((link, i) => link === this.#links[i]);
    if (same) return;
    this.#links = links;
    this.#say();
  }

  #say(): void {
    this.#apply(this.engine.updateSelf(this.#report(), this.#world.now()));
  }

  #report(): SelfReport {
    return {
      addresses: [`node-${this.index}.example.net:8443`, `198.51.100.${this.index % 256}:8443`],
      version: "0.1.0",
      capabilities: ["dns", "socks", "tun"],
      services: this.services,
      exitCidrs: [],
      links: this.#links,
    };
  }

  #apply(effects: GossipEffects): void {
    for (const { peer, bytes } of effects.messages) {
      this.bytesSent += bytes.length;
      this.#world.sendGossip(this, peer, bytes);
    }
    if (effects.events.length > 0) this.#world.happened(this, effects);
  }
}
