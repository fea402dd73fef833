import type { GossipRecord } from "../gossip/types.ts";
import type { NodeId } from "../identity/types.ts";
import type { ConfigBody } from "../netconfig/mod.ts";
import type { AclRule, PolicyNode } from "../policy/mod.ts";
import type { TaskSet } from "../tasks/mod.ts";
import type { MeshRoutes } from "./mesh_routes.ts";
import { namesAndPins } from "./names_and_pins.ts";
import type { PolicyGate } from "./policy_gate.ts";
import { PolicyNodes } from "./policy_nodes.ts";
import type { Refusals } from "./refusals.ts";

export interface AppliedConfigOptions {
  /** The one in force. */
  body(): ConfigBody;
  records(): Iterable<GossipRecord>;
  readonly routes: Pick<MeshRoutes, "setPins">;
  readonly refusals: Pick<Refusals, "apply">;
  readonly gate: Pick<PolicyGate, "replace">;
  readonly tasks: TaskSet;
}

/** What a node makes of the network config: names, pins, refusals, and the rules for the nodes it knows. */
export class AppliedConfig implements Disposable {
  readonly #options: AppliedConfigOptions;
  readonly #policyNodes = new PolicyNodes(() => this.renewPolicy());
  #names: ReadonlyMap<string, NodeId> = new Map();

  constructor(options: AppliedConfigOptions) {
    this.#options = options;
  }

  /** Whom each name stands for. */
  get names(): ReadonlyMap<string, NodeId> {
    return this.#names;
  }

  /** All of it that this node acts on, in one go. */
  apply(): void {
    const { body, routes, refusals, tasks } = this.#options;
    const { names, pins } = namesAndPins(body());
    this.#names = names;
    routes.setPins(pins);
    tasks.add(refusals.apply());
    this.renewPolicy();
  }

  /** Nodes are others than before, or have other addresses. */
  renewPolicy(): void {
    const body = this.#options.body();
    this.setPolicy(body.acls, this.#policyNodes.list(body, this.#options.records()));
  }

  /** New rules: they hold for new streams at once, and open ones that they deny are cut. */
  setPolicy(rules: readonly AclRule[], nodes: Iterable<PolicyNode>): void {
    const { gate, tasks } = this.#options;
    tasks.add(gate.replace(rules, nodes));
  }

  /** Gossip has a record. */
  learned(record: GossipRecord): void {
    this.#policyNodes.learned(record, this.#options.body().acls.length);
  }

  [Symbol.dispose](): void {
    this.#policyNodes[Symbol.dispose]();
  }
}
