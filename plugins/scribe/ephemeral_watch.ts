import type { NodeId } from "../../core/identity/types.ts";

export interface Sighting {
  readonly id: NodeId;
  /** Null: not known. */
  readonly lastSeenSeconds: number | null;
  readonly linked: boolean;
}

/**
 * Tells which ephemeral nodes have been gone for their time. Absence counts only while the scribe itself is in the mesh: when it has
 * been off, or sees nobody, every clock starts again.
 */
export class EphemeralWatch {
  readonly #seenAt = new Map<NodeId, number>();

  /**
   * @param nodes what the directory shows, without the scribe itself
   * @param ttls by node, milliseconds
   * @param now milliseconds of a clock that does not jump
   * @returns nodes to remove
   */
  look(
    nodes: readonly Sighting[],
    ttls: ReadonlyMap<NodeId, number>,
    now: number,
  ): readonly NodeId[] {
    for (const id of this.#seenAt.keys()) if (!ttls.has(id)) this.#seenAt.delete(id);
    if (!nodes.some(({ linked }) => linked)) {
      this.#seenAt.clear();
      return [];
    }
    for (const id of ttls.keys()) if (!this.#seenAt.has(id)) this.#seenAt.set(id, now);
    for (const { id, lastSeenSeconds, linked } of nodes) {
      const known = this.#seenAt.get(id);
      if (known === undefined) continue;
      const seen = linked ? now : lastSeenSeconds === null ? known : now - lastSeenSeconds * 1000;
      this.#seenAt.set(id, Math.max(known, seen));
    }
    return [...ttls].filter(([id, ttl]) => now - this.#seenAt.get(id)! > ttl).map(([id]) => id);
  }
}
