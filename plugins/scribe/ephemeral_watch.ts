import type { NodeId } from "../../core/identity/types.ts";

export interface Sighting {
  readonly id: NodeId;
  /** It is linked, or a path leads to it today. How old its record is says nothing: those of quiet nodes are renewed seldom. */
  readonly reachable: boolean;
}

/** So long a node has at least to come for the first time: it may join now and be started in a while. */
const arrivalMs = 60_000;

interface Seen {
  readonly at: number;
  /** False: nothing but the time at which it was first looked for. */
  readonly really: boolean;
}

/**
 * Tells which ephemeral nodes have been gone for their time. Absence counts only while the scribe itself is in the mesh: when it has
 * been off, or sees nobody, every clock starts again.
 */
export class EphemeralWatch {
  readonly #seen = new Map<NodeId, Seen>();

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
    for (const id of this.#seen.keys()) if (!ttls.has(id)) this.#seen.delete(id);
    if (!nodes.some(({ reachable }) => reachable)) {
      this.#seen.clear();
      return [];
    }
    for (const id of ttls.keys()) {
      if (!this.#seen.has(id)) this.#seen.set(id, { at: now, really: false });
    }
    for (const { id, reachable } of nodes) {
      if (reachable && this.#seen.has(id)) this.#seen.set(id, { at: now, really: true });
    }
    return [...ttls].filter(([id, ttl]) => {
      const { at, really } = this.#seen.get(id)!;
      return now - at > (really ? ttl : Math.max(ttl, arrivalMs));
    }).map(([id]) => id);
  }
}
