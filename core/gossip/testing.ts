import { validateCertificate, verifyEd25519 } from "../identity/mod.ts";
import { createTestCa, type TestCa } from "../identity/testing.ts";
import type { Credentials, NodeCertificate, NodeId } from "../identity/types.ts";
import { encodeContent } from "./content.ts";
import { type GossipEffects, GossipEngine } from "./engine.ts";
import type { GossipEvent } from "./events.ts";
import type { GossipLimits } from "./limits.ts";
import { Detail } from "./message.ts";
import { MessageWriter } from "./message_writer.ts";
import { type SignedHead, signHead, signingPrefix } from "./record.ts";
import type { SelfReport } from "./types.ts";

/** Support for tests only: engines with real keys and certificates, joined by links in virtual time. */

export const emptyReport: SelfReport = {
  addresses: [],
  version: "0.0.0",
  capabilities: [],
  services: [],
  exitCidrs: [],
  links: [],
};

/** A small fast generator (mulberry32) so that a run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface TestNode {
  readonly id: NodeId;
  readonly credentials: Credentials;
  engine: GossipEngine;
  readonly events: GossipEvent[];
}

interface Wire {
  readonly latencyMs: number;
  loss: number;
}

interface Parcel {
  readonly at: number;
  readonly order: number;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly bytes: Uint8Array;
}

/** Engines and links between them; nothing happens but through `run()`. */
export class TestMesh {
  readonly ca: TestCa;
  readonly random: () => number;
  readonly nodes = new Map<NodeId, TestNode>();
  now = 1_000;
  /** Sees every message as it leaves; gives what to send instead. */
  tap: (from: NodeId, to: NodeId, bytes: Uint8Array) => Uint8Array | null = (_f, _t, b) => b;
  readonly #limits: Partial<GossipLimits>;
  readonly #wires = new Map<string, Wire>();
  #parcels: Parcel[] = [];
  #order = 0;

  private constructor(ca: TestCa, seed: number, limits: Partial<GossipLimits>) {
    this.ca = ca;
    this.random = seededRandom(seed);
    this.#limits = limits;
  }

  static async create(
    options: { readonly seed?: number; readonly limits?: Partial<GossipLimits> } = {},
  ): Promise<TestMesh> {
    return new TestMesh(await createTestCa(), options.seed ?? 1, options.limits ?? {});
  }

  async add(options: { readonly credentials?: Credentials } = {}): Promise<TestNode> {
    const credentials = options.credentials ?? await this.ca.issue();
    const node: TestNode = {
      id: credentials.certificate.id,
      credentials,
      engine: this.#engine(credentials, 1),
      events: [],
    };
    this.nodes.set(node.id, node);
    return node;
  }

  /** Nodes linked one after the other. */
  async line(count: number, wire: Partial<Wire> = {}): Promise<TestNode[]> {
    const nodes: TestNode[] = [];
    for (let i = 0; i < count; i++) {
      const node = await this.add();
      const before = nodes.at(-1);
      if (before !== undefined) this.connect(before, node, wire);
      nodes.push(node);
    }
    return nodes;
  }

  /** A new life of the same node: everything it knew is lost. Its links have to be connected again. */
  restart(node: TestNode, initialSequence = 1): void {
    for (const other of this.nodes.values()) this.disconnect(node, other);
    node.events.length = 0;
    node.engine = this.#engine(node.credentials, initialSequence);
  }

  #engine(credentials: Credentials, initialSequence: number): GossipEngine {
    return new GossipEngine({
      self: { certificate: credentials.certificate, sign: (m) => credentials.key.sign(m) },
      network: this.ca.network,
      report: emptyReport,
      initialSequence,
      now: this.now,
      random: this.random,
      limits: this.#limits,
      verifyCertificate: (der) => this.verifyCertificate(der),
      verifySignature: verifyEd25519,
      isCurrent: (certificate) => certificate.notAfter > Date.now(),
    });
  }

  verifyCertificate(der: Uint8Array): NodeCertificate {
    return validateCertificate(der, this.ca.anchor, {
      now: Date.now(),
      network: this.ca.network,
    });
  }

  connect(a: TestNode, b: TestNode, wire: Partial<Wire> = {}): void {
    this.#wires.set(wireName(a.id, b.id), {
      latencyMs: wire.latencyMs ?? 10,
      loss: wire.loss ?? 0,
    });
    this.apply(a, a.engine.linkUp(b.id, this.now));
    this.apply(b, b.engine.linkUp(a.id, this.now));
  }

  disconnect(a: TestNode, b: TestNode): void {
    if (!this.#wires.delete(wireName(a.id, b.id))) return;
    this.apply(a, a.engine.linkDown(b.id, this.now));
    this.apply(b, b.engine.linkDown(a.id, this.now));
  }

  connected(a: TestNode, b: TestNode): boolean {
    return this.#wires.has(wireName(a.id, b.id));
  }

  setLoss(loss: number): void {
    for (const wire of this.#wires.values()) wire.loss = loss;
  }

  say(node: TestNode, report: Partial<SelfReport>): void {
    this.apply(node, node.engine.updateSelf({ ...emptyReport, ...report }, this.now));
  }

  /** Lets a node receive bytes as if a neighbour had sent them. */
  inject(from: TestNode, to: TestNode, bytes: Uint8Array): GossipEffects {
    const effects = to.engine.receive(from.id, bytes, this.now);
    this.apply(to, effects);
    return effects;
  }

  apply(node: TestNode, effects: GossipEffects): void {
    node.events.push(...effects.events);
    for (const { peer, bytes } of effects.messages) {
      const wire = this.#wires.get(wireName(node.id, peer));
      if (wire === undefined || this.random() < wire.loss) continue;
      const sent = this.tap(node.id, peer, bytes);
      if (sent === null) continue;
      const at = this.now + wire.latencyMs;
      this.#parcels.push({ at, order: this.#order++, from: node.id, to: peer, bytes: sent });
    }
  }

  /** Lets this many virtual milliseconds pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      let next = Infinity;
      for (const parcel of this.#parcels) next = Math.min(next, parcel.at);
      for (const node of this.nodes.values()) next = Math.min(next, node.engine.nextWake());
      if (next > end) break;
      this.now = Math.max(this.now, next);
      const due = this.#parcels.filter((parcel) => parcel.at <= this.now);
      this.#parcels = this.#parcels.filter((parcel) => parcel.at > this.now);
      due.sort((a, b) => a.at - b.at || a.order - b.order);
      for (const { from, to, bytes } of due) {
        const node = this.nodes.get(to);
        // Messages of a link that is gone are gone with it.
        if (node === undefined || !this.#wires.has(wireName(from, to))) continue;
        this.apply(node, node.engine.receive(from, bytes, this.now));
      }
      for (const node of this.nodes.values()) {
        if (node.engine.nextWake() <= this.now) this.apply(node, node.engine.tick(this.now));
      }
    }
    this.now = end;
  }

  /** Runs until the condition holds; the virtual milliseconds it took, Infinity when it never did. */
  runUntil(condition: () => boolean, limitMs: number, stepMs = 10): number {
    const start = this.now;
    while (!condition()) {
      if (this.now - start >= limitMs) return Infinity;
      this.run(stepMs);
    }
    return this.now - start;
  }

  /** Every node holds the same sequence of every node. */
  converged(): boolean {
    const nodes = [...this.nodes.values()];
    return nodes.every(({ engine }) =>
      engine.size === nodes.length &&
      nodes.every((other) => engine.get(other.id)?.sequence === other.engine.sequence)
    );
  }
}

/** A record as its author would sign it, with everything about it open to abuse. */
export function makeRecord(
  credentials: Credentials,
  options: {
    readonly sequence?: number;
    readonly report?: Partial<SelfReport>;
    /** Signed over this network's name. */
    readonly network?: string;
    /** Id to claim instead of the key's own. */
    readonly id?: NodeId;
  } = {},
): { head: SignedHead; content: Uint8Array; certificate: Uint8Array } {
  const { certificate, key } = credentials;
  const id = options.id ?? certificate.id;
  const content = encodeContent(
    { ...emptyReport, ...options.report },
    certificate.fingerprint,
    id,
  );
  const head = signHead(
    { id, sequence: options.sequence ?? 1, contentHash: content.hash },
    signingPrefix(options.network ?? certificate.network),
    (message) => key.sign(message),
  );
  return { head, content: content.bytes, certificate: certificate.der };
}

/** A message with these records in one batch. */
export function recordsMessage(
  records: readonly {
    readonly head: SignedHead;
    readonly content?: Uint8Array | null;
    readonly certificate?: Uint8Array | null;
    readonly hops?: number;
  }[],
  batch = 1,
): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter();
  writer.beginRecords(batch, true);
  for (const { head, content = null, certificate = null, hops = 0 } of records) {
    writer.record({ head, hops, content, certificate });
  }
  writer.endRecords();
  return writer.finish();
}

/** A message that asks for one record. */
export function wantMessage(id: NodeId, detail: Detail = Detail.certificate): Uint8Array {
  const writer = new MessageWriter();
  writer.wants([[id, detail]], 1);
  return writer.finish();
}

function wireName(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
