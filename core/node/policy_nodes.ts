import type { GossipRecord } from "../gossip/types.ts";
import type { NodeId } from "../identity/types.ts";
import type { ConfigBody } from "../netconfig/mod.ts";
import type { PolicyNode } from "../policy/mod.ts";
import { labels, meshAddressesOf } from "./directory.ts";

/** New nodes within so many milliseconds are taken up together: compiling 10,000 rules takes 27 ms. */
const gatherMs = 200;

/**
 * The nodes the policy is about: everybody the network config names and everybody gossip knows, with the addresses that are
 * theirs. Says when somebody new, or with other addresses, makes it worth compiling the rules again.
 */
export class PolicyNodes implements Disposable {
  readonly #changed: () => void;
  readonly #known = new Map<NodeId, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  list(body: ConfigBody, records: Iterable<GossipRecord>): PolicyNode[] {
    const certificates = new Map(Array.from(records, ({ id, certificate }) => [id, certificate]));
    this.#known.clear();
    return [...new Set([...Object.keys(body.nodes), ...certificates.keys()])].map((id) => {
      const addresses = meshAddressesOf(certificates.get(id), body.nodes[id]);
      this.#known.set(id, certificates.get(id)?.meshAddresses.join() ?? "");
      return { id, ...labels(body, id), addresses };
    });
  }

  /** Gossip has a record. @param rules how many there are: without any, nodes do not matter */
  learned({ id, certificate }: GossipRecord, rules: number): void {
    if (rules === 0 || this.#timer !== undefined) return;
    if (this.#known.get(id) === certificate.meshAddresses.join()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#changed();
    }, gatherMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
