import type { NodeId } from "../../core/identity/types.ts";

export interface Sighting {
  readonly id: NodeId;
  /** It is linked, or a path leads to it today. How old its record is says nothing: those of quiet nodes are renewed seldom. */
  readonly reachable: boolean;
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
    if (!nodes.some(({ reachable }) => reachable)) {
      this.#seenAt.clear();
      return [];
    }
    for (const id of ttls.keys()) if (!this.#seenAt.has(id)) this.#seenAt.set(id, now);
    for (const { id, reachable } of nodes) {
      if (reachable && this.#seenAt.has(id)) this.#seenAt.set(id, now);
    }
    return [...ttls].filter(([id, ttl]) => now - this.#seenAt.get(id)! > ttl).map(([id]) => id);
  }
}
