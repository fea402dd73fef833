import type { GossipCounters } from "../gossip/mod.ts";
import type { Clock } from "../clock/clock.ts";
import { errorText } from "../errors/mod.ts";
import {
  type GossipEffects,
  GossipEngine,
  GossipError,
  type GossipRecord,
  type LinkReport,
  quantiseLatency,
  quantiseLoss,
  reportLimits,
  type SelfReport,
} from "../gossip/mod.ts";
import {
  type Credentials,
  type NodeCertificate,
  type NodeId,
  type Trust,
  trustOf,
  validateCertificate,
  verifyEd25519,
} from "../identity/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { WakeTimer } from "./wake_timer.ts";

export interface GossipDriverOptions {
  readonly network: string;
  readonly credentials: Credentials;
  readonly initialSequence: number;
  readonly clock: Clock;
  readonly random: () => number;
  send(peer: NodeId, bytes: Uint8Array): void;
  onRecord(record: GossipRecord): void;
  onRemoved(id: NodeId): void;
  readonly log: LogFn;
}

const emptyReport: SelfReport = {
  addresses: [],
  version: "",
  capabilities: [],
  services: [],
  exitCidrs: [],
  links: [],
};

/** Gives the gossip engine its clock, its timer and its wire. */
export class GossipDriver implements Disposable {
  readonly #options: GossipDriverOptions;
  readonly #engine: GossipEngine;
  readonly #timer: WakeTimer;
  #trust: Trust;
  #report: SelfReport = emptyReport;

  constructor(options: GossipDriverOptions) {
    this.#options = options;
    const { clock, credentials, network } = options;
    this.#trust = trustOf(credentials);
    this.#engine = new GossipEngine({
      self: { certificate: credentials.certificate, sign: (m) => credentials.key.sign(m) },
      network,
      report: emptyReport,
      initialSequence: options.initialSequence,
      now: clock.now(),
      random: options.random,
      verifyCertificate: (der) =>
        validateCertificate(der, this.#trust, { now: clock.wall(), network }),
      verifySignature: verifyEd25519,
      isCurrent: (certificate) => certificate.notAfter > clock.wall() && this.#counts(certificate),
    });
    this.#timer = new WakeTimer({
      now: () => clock.now(),
      nextWake: () => this.#engine.nextWake(),
      tick: (now) => this.#apply(this.#engine.tick(now)),
    });
    this.#timer.update();
  }

  get sequence(): number {
    return this.#engine.sequence;
  }

  /** Moves when routes have to be computed anew. */
  get graphVersion(): number {
    return this.#engine.graphVersion;
  }

  records(): IterableIterator<GossipRecord> {
    return this.#engine.records();
  }

  counters(): Readonly<GossipCounters> {
    return this.#engine.counters();
  }

  get(id: NodeId): GossipRecord | undefined {
    return this.#engine.get(id);
  }

  linkUp(peer: NodeId): void {
    this.#apply(this.#engine.linkUp(peer, this.#now()));
  }

  linkDown(peer: NodeId): void {
    this.#apply(this.#engine.linkDown(peer, this.#now()));
  }

  receive(peer: NodeId, bytes: Uint8Array): void {
    this.#apply(this.#engine.receive(peer, bytes, this.#now()));
  }

  /**
   * Says what this node is and has; measurements are quantised here, so that noise makes no news. A record names so many links and
   * no more: of those beyond, others do not learn. Never throws for what it is given: links and streams go on without the news.
   */
  publish(report: SelfReport): void {
    const before = new Map(this.#report.links.map((link) => [link.peer, link]));
    const links: LinkReport[] = report.links.slice(0, reportLimits.links).map((link) => ({
      peer: link.peer,
      latencyMs: quantiseLatency(link.latencyMs, before.get(link.peer)?.latencyMs),
      loss: quantiseLoss(link.loss, before.get(link.peer)?.loss),
    }));
    const next = { ...report, links };
    if (JSON.stringify(next) === JSON.stringify(this.#report)) return;
    const previous = this.#report;
    this.#report = next;
    try {
      this.#apply(this.#engine.updateSelf(next, this.#now()));
    } catch (error) {
      if (!(error instanceof GossipError)) throw error;
      this.#report = previous;
      this.#options.log("error", "this node's record cannot be published", {
        error: errorText(error),
      });
    }
  }

  replaceCertificate(credentials: Credentials): void {
    const identity = {
      certificate: credentials.certificate,
      sign: (message: Uint8Array) => credentials.key.sign(message),
    };
    this.#apply(this.#engine.replaceCertificate(identity, this.#now()));
  }

  /** Whose certificates count from now on. Records under others are dropped; their authors may speak again with a new one. */
  setTrust(trust: Trust): void {
    this.#trust = trust;
    this.#apply(this.#engine.drop((record) => !this.#counts(record.certificate), this.#now()));
  }

  #counts({ issuer }: NodeCertificate): boolean {
    return this.#trust.anchors.some(({ fingerprint }) => fingerprint === issuer);
  }

  setRevoked(ids: Iterable<NodeId>): void {
    this.#apply(this.#engine.setRevoked(ids, this.#now()));
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #apply(effects: GossipEffects): void {
    for (const { peer, bytes } of effects.messages) this.#options.send(peer, bytes);
    for (const event of effects.events) {
      if (event.type === "added" || event.type === "updated") this.#options.onRecord(event.record);
      else if (event.type === "removed") this.#options.onRemoved(event.record.id);
      else if (event.type === "equivocation") {
        this.#options.log("warn", "a node signed two different records with one sequence", {
          peer: event.id,
          sequence: event.sequence,
        });
      }
    }
    this.#timer.update();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
