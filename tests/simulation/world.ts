import type { GossipEffects } from "../../core/gossip/mod.ts";
import type { NodeId } from "../../core/identity/mod.ts";
import { EventQueue } from "./event_queue.ts";
import { SharedFacts } from "./facts.ts";
import type { Prng } from "./prng.ts";
import { SimCa, wallClock } from "./sim_ca.ts";
import { SimNode, type Surroundings } from "./sim_node.ts";
import type { Edge } from "./topology.ts";

/** A session that hears nothing ends after this; the product's default. */
const idleTimeoutMs = 9_000;
/** Redialling after a loss: a random time up to this. */
const redialMs = 2_000;
/** Delays vary by up to this share of the link's latency. */
const jitter = 0.1;

export interface WorldLink extends Edge {
  readonly latencyMs: number;
  readonly loss: number;
  /** Nothing gets through, and nobody is told. */
  cut: boolean;
  /** Number of the session; 0 when there is none. */
  session: number;
  /** When the last gossip message arrives, by direction: streams keep their order. */
  readonly arrival: [number, number];
}

interface WorldEvent {
  readonly at: number;
  order: number;
  readonly kind: "gossip" | "probe" | "wake" | "action";
  readonly node: SimNode | null;
  readonly from: NodeId;
  readonly link: WorldLink | null;
  readonly session: number;
  readonly bytes: Uint8Array | null;
  readonly action: (() => void) | null;
}

export interface WorldOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly edges: readonly Edge[];
  readonly random: Prng;
  /** One way, lowest and highest. */
  readonly latencyMs: readonly [number, number];
  /** Highest loss of a link; each has its own. */
  readonly loss: number;
}

/** Virtual time, links with latency and loss, and the nodes between which they run. */
export class World implements Surroundings {
  readonly facts: SharedFacts;
  readonly ca: SimCa;
  readonly network: string;
  readonly nodes: readonly SimNode[];
  readonly links: readonly WorldLink[];
  /** Sees what every node's engine reports. */
  onEffects: (node: SimNode, effects: GossipEffects) => void = () => {};
  /** Sees every genuine gossip message as it leaves. */
  onMessage: (bytes: Uint8Array) => void = () => {};
  readonly #random: Prng;
  readonly #queue = new EventQueue<WorldEvent>();
  readonly #byId = new Map<NodeId, SimNode>();
  readonly #ends = new Map<NodeId, Map<NodeId, WorldLink>>();
  #now = 0;
  #sessions = 0;
  #events = 0;

  constructor(options: WorldOptions) {
    this.ca = new SimCa(options.seed);
    this.network = this.ca.network;
    this.facts = new SharedFacts(this.ca.anchor, this.network, wallClock);
    this.#random = options.random.fork("wire");
    const [low, high] = options.latencyMs;
    const quality = options.random.fork("links");
    this.links = options.edges.map(({ a, b }) => ({
      a,
      b,
      latencyMs: quality.between(low, high),
      loss: quality.between(0, options.loss),
      cut: false,
      session: 0,
      arrival: [0, 0],
    }));
    this.nodes = Array.from(
      { length: options.nodes },
      (_, i) => new SimNode(i, this.ca.issue(String(i)), options.random.fork(`node ${i}`), this),
    );
    for (const node of this.nodes) {
      this.#byId.set(node.id, node);
      this.#ends.set(node.id, new Map());
    }
    for (const link of this.links) {
      this.#ends.get(this.node(link.a).id)!.set(this.node(link.b).id, link);
      this.#ends.get(this.node(link.b).id)!.set(this.node(link.a).id, link);
    }
  }

  now(): number {
    return this.#now;
  }

  /** Events handled so far. */
  get events(): number {
    return this.#events;
  }

  node(index: number): SimNode {
    return this.nodes[index]!;
  }

  nodeOf(id: NodeId): SimNode | undefined {
    return this.#byId.get(id);
  }

  linkBetween(a: NodeId, b: NodeId): WorldLink | undefined {
    return this.#ends.get(a)?.get(b);
  }

  linksOf(node: SimNode): WorldLink[] {
    return [...this.#ends.get(node.id)?.values() ?? []];
  }

  /** Calls this at a virtual time from now. */
  after(ms: number, action: () => void): void {
    this.#push({ at: this.#now + ms, kind: "action", action });
  }

  /** Lets virtual time pass up to a moment, or until the condition holds. */
  runUntil(at: number, done: () => boolean = () => false): void {
    while (!done()) {
      if (this.#queue.nextAt > at) {
        this.#now = Math.max(this.#now, at);
        return;
      }
      const event = this.#queue.pop()!;
      this.#now = event.at;
      this.#events++;
      this.#handle(event);
    }
  }

  startNode(node: SimNode): void {
    node.start();
    this.#reschedule(node);
    for (const link of this.linksOf(node)) this.#dialSoon(link);
  }

  /** As by kill -9: the peers find out when their sessions time out, or when it comes back. */
  killNode(node: SimNode): void {
    node.stop();
    for (const link of this.linksOf(node)) {
      const { session } = link;
      this.after(idleTimeoutMs, () => {
        if (link.session === session) this.closeSession(link);
      });
    }
  }

  cutLink(link: WorldLink): void {
    link.cut = true;
    const { session } = link;
    this.after(idleTimeoutMs, () => {
      if (link.cut && link.session === session) this.closeSession(link);
    });
  }

  healLink(link: WorldLink): void {
    link.cut = false;
    this.#dialSoon(link);
  }

  closeSession(link: WorldLink): void {
    if (link.session === 0) return;
    link.session = 0;
    const [a, b] = [this.node(link.a), this.node(link.b)];
    for (const [node, peer] of [[a, b], [b, a]] as const) {
      if (!node.alive) continue;
      node.linkDown(peer.id);
      this.#reschedule(node);
    }
  }

  sendGossip(from: SimNode, to: NodeId, bytes: Uint8Array): void {
    this.onMessage(bytes);
    this.#transmit("gossip", from, to, bytes);
  }

  sendProbe(from: SimNode, to: NodeId, bytes: Uint8Array): void {
    this.#transmit("probe", from, to, bytes);
  }

  linkDead(from: SimNode, to: NodeId): void {
    const link = this.linkBetween(from.id, to);
    if (link === undefined) return;
    this.after(0, () => {
      this.closeSession(link);
      this.#dialSoon(link);
    });
  }

  happened(node: SimNode, effects: GossipEffects): void {
    this.onEffects(node, effects);
  }

  /** Puts a message on a link as if one of its ends had sent it. */
  inject(link: WorldLink, toB: boolean, bytes: Uint8Array): void {
    const [from, to] = toB
      ? [this.node(link.a), this.node(link.b)]
      : [this.node(link.b), this.node(link.a)];
    this.#push({
      at: this.#now,
      kind: "gossip",
      node: to,
      from: from.id,
      link,
      session: link.session,
      bytes,
    });
  }

  #transmit(kind: "gossip" | "probe", from: SimNode, to: NodeId, bytes: Uint8Array): void {
    const link = this.linkBetween(from.id, to);
    const node = this.#byId.get(to);
    if (link === undefined || node === undefined || link.session === 0 || link.cut) return;
    if (this.#random.next() < link.loss) return;
    let at = this.#now + link.latencyMs * (1 + jitter * this.#random.next());
    if (kind === "gossip") {
      const direction = from.index === link.a ? 0 : 1;
      at = link.arrival[direction] = Math.max(at, link.arrival[direction]);
    }
    this.#push({ at, kind, node, from: from.id, link, session: link.session, bytes });
  }

  #handle({ kind, at, node, from, link, session, bytes, action }: WorldEvent): void {
    if (action !== null) return action();
    if (node === null || !node.alive) return;
    if (kind === "wake") {
      if (node.wakeAt !== at) return;
      node.wakeAt = Infinity;
      node.tick();
    } else {
      // What was under way when the session ended, or when the link was cut, is lost.
      if (link === null || bytes === null || link.session !== session || link.cut) return;
      if (kind === "gossip") node.receiveGossip(from, bytes);
      else node.receiveProbe(from, bytes);
    }
    this.#reschedule(node);
  }

  #dialSoon(link: WorldLink): void {
    this.after(this.#random.between(0, redialMs) + 6 * link.latencyMs, () => this.#dial(link));
  }

  #dial(link: WorldLink): void {
    const [a, b] = [this.node(link.a), this.node(link.b)];
    if (!a.alive || !b.alive || link.cut) return;
    const upAtBothEnds = a.hasPeer(b.id) && b.hasPeer(a.id);
    if (link.session !== 0 && upAtBothEnds) return;
    // The end that was never away sees its old session replaced.
    this.closeSession(link);
    link.session = ++this.#sessions;
    a.linkUp(b.id);
    b.linkUp(a.id);
    this.#reschedule(a);
    this.#reschedule(b);
  }

  /** Puts the node's next wake-up into the queue when it is earlier than the one there. */
  #reschedule(node: SimNode): void {
    if (!node.alive) return;
    const at = Math.max(this.#now, node.nextWake());
    if (at >= node.wakeAt) return;
    node.wakeAt = at;
    this.#push({ at, kind: "wake", node });
  }

  /** Anything may change a node outside an event of its own: a service added, a session closed. */
  touch(node: SimNode): void {
    this.#reschedule(node);
  }

  #push(event: Pick<WorldEvent, "at" | "kind"> & Partial<WorldEvent>): void {
    this.#queue.push({
      at: event.at,
      order: 0,
      kind: event.kind,
      node: event.node ?? null,
      from: event.from ?? "",
      link: event.link ?? null,
      session: event.session ?? 0,
      bytes: event.bytes ?? null,
      action: event.action ?? null,
    });
  }
}
