import { addCounters, type GossipCounters, newCounters } from "../../core/gossip/counters.ts";
import { Forger } from "./forger.ts";
import { Agreement, checkPaths, checkRecords, type Findings } from "./invariants.ts";
import type { SimOptions } from "./options.ts";
import { Prng } from "./prng.ts";
import type { SimNode } from "./sim_node.ts";
import { components, halfOf, randomTopology } from "./topology.ts";
import { World } from "./world.ts";

/** What a run measured. Times are virtual seconds, sizes bytes; null where something never happened. */
export interface SimResult {
  readonly links: number;
  readonly virtualSeconds: number;
  /** From the first node's start until every node holds every node's record. */
  readonly convergence: number | null;
  readonly steady: Steady;
  /** For each change, until every node knew it. */
  readonly changes: readonly (number | null)[];
  /** For each restart, from the new start until every node holds what the node says in its new life. */
  readonly restarts: readonly (number | null)[];
  readonly partition: {
    readonly cutLinks: number;
    /** From the moment the cables are back until everybody knows what the other side said until then. */
    readonly agreement: number | null;
  } | null;
  readonly forgeries: number;
  readonly refused: Readonly<GossipCounters>;
  readonly findings: Findings;
}

/** Traffic of a mesh in which nothing happens, per node and 10 s round. */
export interface Steady {
  readonly seconds: number;
  readonly deltaBytes: number;
  readonly recordsSent: number;
  /** What sending the whole table over every link would cost. */
  readonly fullPushBytes: number;
  readonly ratio: number;
}

const second = 1_000;
const roundMs = 10 * second;
/** Nodes start within this. */
const startSpreadMs = 2 * second;
const settleMs = 30 * second;
/** More than one refresh of every node falls into it. */
const steadyMs = 120 * second;
const betweenChangesMs = 8 * second;
const restartAfterMs = 5 * second;
const betweenRestartsMs = 15 * second;
/** Long enough for sessions to time out and the news of it to spread. */
const settleAfterFaultMs = 30 * second;
/** Whatever was said is known to everybody after this, refreshes included. */
const spreadMs = 60 * second;
/** Framing of a record in a batch besides head and content. */
const recordFraming = 4;
const headBytes = 118;

/** Virtual seconds all phases take together, at most. */
export function phaseSeconds(options: SimOptions): number {
  const { changes, restarts, partitionSeconds } = options;
  const partition = partitionSeconds === 0 ? 0 : partitionSeconds * second + settleAfterFaultMs;
  const fixed = settleMs + steadyMs + settleAfterFaultMs + spreadMs;
  const ms = fixed + changes * betweenChangesMs + restarts * betweenRestartsMs + partition;
  return Math.ceil(ms / second);
}

/** One run, from cold start to the final inspection. */
export class Scenario {
  readonly #options: SimOptions;
  readonly #world: World;
  readonly #random: Prng;
  readonly #forger: Forger;
  readonly #findings: Findings = { paths: 0, records: 0, broken: [] };
  /** Nodes whose table is complete. */
  #complete = new Set<SimNode>();
  #watch: { readonly id: string; readonly service: string; readonly missing: Set<SimNode> } | null =
    null;

  constructor(options: SimOptions) {
    this.#options = options;
    const random = new Prng(options.seed);
    this.#random = random.fork("scenario");
    this.#world = new World({
      seed: options.seed,
      nodes: options.nodes,
      edges: randomTopology(options.nodes, options.degree, random.fork("topology")),
      random,
      latencyMs: options.latencyMs,
      loss: options.loss,
    });
    this.#forger = new Forger(this.#world, options.seed, random.fork("forger"));
    this.#world.onMessage = (bytes) => this.#forger.overhear(bytes);
    this.#world.onEffects = (node, { events }) => {
      for (const event of events) {
        if (event.type === "removed") this.#complete.delete(node);
        if (event.type !== "added" && event.type !== "updated") continue;
        if (node.engine.size === options.nodes) this.#complete.add(node);
        const watch = this.#watch;
        if (
          watch?.id === event.record.id &&
          event.record.report.services.some(({ name }) => name === watch.service)
        ) watch.missing.delete(node);
      }
    };
  }

  /** Events the run has handled so far, and signatures really checked. */
  get effort(): { readonly events: number; readonly verified: number } {
    return { events: this.#world.events, verified: this.#world.facts.verified };
  }

  run(): SimResult {
    const world = this.#world;
    const options = this.#options;
    const convergence = this.#start();
    world.runUntil(settleMs);
    const steady = this.#steady();
    this.#inspect("steady");
    this.#startForging();
    const changes = Array.from({ length: options.changes }, (_, i) => this.#change(i));
    const restarts = Array.from({ length: options.restarts }, (_, i) => this.#restart(i));
    this.#wait(settleAfterFaultMs);
    this.#inspect("after restarts");
    const partition = options.partitionSeconds === 0 ? null : this.#partition();
    world.runUntil(options.minutes * 60 * second);
    const agreement = new Agreement(world);
    const limit = world.now() + spreadMs;
    while (!agreement.reached() && world.now() < limit) this.#wait(second);
    if (!agreement.reached()) this.#findings.broken.push("end: the nodes do not agree");
    this.#inspect("end");
    const refused = newCounters();
    for (const node of world.nodes) addCounters(refused, node.engine.counters());
    return {
      links: world.links.length,
      virtualSeconds: world.now() / second,
      convergence,
      steady,
      changes,
      restarts,
      partition,
      forgeries: this.#forger.total,
      refused,
      findings: this.#findings,
    };
  }

  #start(): number | null {
    const world = this.#world;
    for (const node of world.nodes) {
      world.after(this.#random.between(0, startSpreadMs), () => world.startNode(node));
    }
    world.runUntil(settleMs, () => this.#complete.size === world.nodes.length);
    return this.#complete.size === world.nodes.length ? world.now() / second : null;
  }

  #steady(): Steady {
    const world = this.#world;
    const totals = () => {
      let bytes = 0;
      let records = 0;
      for (const node of world.nodes) {
        bytes += node.bytesSent;
        records += node.engine.counters().recordsOut;
      }
      return { bytes, records };
    };
    const before = totals();
    this.#wait(steadyMs);
    const after = totals();
    const perNodeAndRound = world.nodes.length * steadyMs / roundMs;
    const deltaBytes = (after.bytes - before.bytes) / perNodeAndRound;
    const fullPushBytes = this.#fullPush() / world.nodes.length;
    return {
      seconds: steadyMs / second,
      deltaBytes,
      recordsSent: (after.records - before.records) / perNodeAndRound,
      fullPushBytes,
      ratio: deltaBytes / fullPushBytes,
    };
  }

  /** Every node's whole table over each of its links, in the format of the delta and without certificates. */
  #fullPush(): number {
    let sum = 0;
    for (const node of this.#world.nodes) {
      let table = 0;
      for (const record of node.engine.records()) {
        table += headBytes + recordFraming + this.#world.facts.contentLength(record.report);
      }
      sum += table * [...node.peers()].length;
    }
    return sum;
  }

  #startForging(): void {
    const { forgeriesPerSecond } = this.#options;
    if (forgeriesPerSecond === 0) return;
    const next = () => {
      this.#forger.strike();
      this.#world.after(this.#random.between(0, 2 * second / forgeriesPerSecond), next);
    };
    next();
  }

  /** A node says something new; seconds until the last one knows. */
  #announce(node: SimNode, service: string, limitMs: number): number | null {
    const world = this.#world;
    const began = world.now();
    const missing = new Set(world.nodes.filter((other) => other.alive && other !== node));
    this.#watch = { id: node.id, service, missing };
    node.addService({ name: service, port: 80 });
    world.touch(node);
    world.runUntil(began + limitMs, () => missing.size === 0);
    this.#watch = null;
    return missing.size === 0 ? (world.now() - began) / second : null;
  }

  #change(number: number): number | null {
    const end = this.#world.now() + betweenChangesMs;
    const node = this.#random.pick(this.#world.nodes);
    const took = this.#announce(node, `change-${number}`, betweenChangesMs);
    this.#world.runUntil(end);
    return took;
  }

  #restart(number: number): number | null {
    const world = this.#world;
    const end = world.now() + betweenRestartsMs;
    const node = this.#random.pick(world.nodes);
    world.killNode(node);
    this.#wait(restartAfterMs);
    world.startNode(node);
    const took = this.#announce(node, `restart-${number}`, betweenRestartsMs - restartAfterMs);
    world.runUntil(end);
    return took;
  }

  #partition(): SimResult["partition"] {
    const world = this.#world;
    const start = this.#random.below(world.nodes.length);
    const half = halfOf(world.nodes.length, world.links, start);
    const cut = world.links.filter(({ a, b }) => half.has(a) !== half.has(b));
    for (const link of cut) world.cutLink(link);
    this.#wait(this.#options.partitionSeconds * second);
    if (this.#options.partitionSeconds * second >= settleAfterFaultMs) {
      this.#inspect("in two parts");
      const parts = new Set(components(
        world.nodes.length,
        world.links.filter((link) => !link.cut),
      ));
      if (parts.size < 2) this.#findings.broken.push("the partition did not part anything");
    }
    for (const node of world.nodes) {
      if (half.has(node.index) && node.index % 10 === 0) {
        node.addService({ name: "apart", port: 80 });
        world.touch(node);
      }
    }
    this.#wait(second);
    for (const link of cut) world.healLink(link);
    const healed = world.now();
    const limit = healed + settleAfterFaultMs;
    const whole = new Agreement(world);
    let agreement: number | null = null;
    while (agreement === null && world.now() < limit) {
      this.#wait(0.1 * second);
      if (whole.reached()) agreement = (world.now() - healed) / second;
    }
    world.runUntil(limit);
    this.#inspect("after the partition");
    return { cutLinks: cut.length, agreement };
  }

  #inspect(when: string): void {
    checkRecords(this.#world, when, this.#findings);
    const sample = { sources: 12, destinations: 12 };
    checkPaths(this.#world, when, sample, this.#random.fork(when), this.#findings);
  }

  #wait(ms: number): void {
    this.#world.runUntil(this.#world.now() + ms);
  }
}
