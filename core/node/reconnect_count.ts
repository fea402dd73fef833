import type { NodeId } from "../identity/types.ts";

/** Peers remembered to tell a link that came back from a first one. */
const maxOnceLinked = 10_000;

/** Counts links that came back after they had been up before. */
export class ReconnectCount {
  readonly #onceLinked = new Set<NodeId>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  linked(peer: NodeId): void {
    if (this.#onceLinked.has(peer)) this.#count++;
    else if (this.#onceLinked.size < maxOnceLinked) this.#onceLinked.add(peer);
  }
}
