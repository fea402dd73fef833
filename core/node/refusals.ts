import type { NodeId } from "../identity/types.ts";

export interface RefusalsOptions {
  readonly self: NodeId;
  /** Those of the network config. */
  listed(): readonly { readonly node: NodeId }[];
  /** Everybody who is refused from now on, and who of them is so only now. */
  changed(revoked: ReadonlySet<NodeId>, fresh: ReadonlySet<NodeId>): Promise<void>;
}

/** Who gets nothing here: whom this node's own CA revoked, and whom the network config did. */
export class Refusals {
  readonly #options: RefusalsOptions;
  /** By the CA of this process; those of the network config come on top. */
  readonly #own = new Set<NodeId>();
  #refused: ReadonlySet<NodeId> = new Set();

  constructor(options: RefusalsOptions, own: Iterable<NodeId>) {
    this.#options = options;
    for (const id of own) this.#own.add(id);
  }

  /** The CA of this process has revoked these. */
  async add(ids: Iterable<NodeId>): Promise<void> {
    for (const id of ids) this.#own.add(id);
    await this.apply();
  }

  /** Exactly those of this node's CA and of the network config are refused; whoever is new among them is cut off. */
  async apply(): Promise<void> {
    const revoked = new Set(this.#own);
    for (const { node } of this.#options.listed()) revoked.add(node);
    // A node that refused itself could not even be told that it is no longer revoked.
    revoked.delete(this.#options.self);
    const fresh = revoked.difference(this.#refused);
    this.#refused = revoked;
    await this.#options.changed(revoked, fresh);
  }
}
