import { isIP } from "node:net";
import type { HostPort } from "../address/mod.ts";

/** Names are looked up again after this. */
const freshMs = 60_000;

export interface PeerAddressesOptions {
  /** As the operator named them. */
  readonly peers: readonly HostPort[];
  /** Monotonic milliseconds. */
  now(): number;
  resolve(name: string): Promise<readonly string[]>;
}

/** The addresses behind the peers an operator named, looked up beside the asking: the answer is what was found last. */
export class PeerAddresses {
  readonly #options: PeerAddressesOptions;
  readonly #found = new Map<string, readonly string[]>();
  #askedAt = -Infinity;

  constructor(options: PeerAddressesOptions) {
    this.#options = options;
  }

  /** Addresses known by now. */
  list(): readonly HostPort[] {
    const { peers, now } = this.#options;
    if (now() - this.#askedAt >= freshMs) {
      this.#askedAt = now();
      for (const name of new Set(peers.map(({ host }) => host))) {
        if (isIP(name) === 0) void this.#lookUp(name);
      }
    }
    return peers.flatMap(({ host, port }) => {
      const addresses = isIP(host) === 0 ? this.#found.get(host) ?? [] : [host];
      return addresses.map((address) => ({ host: address, port }));
    });
  }

  async #lookUp(name: string): Promise<void> {
    try {
      this.#found.set(name, await this.#options.resolve(name));
    } catch {
      // What was known holds: an address that worked a minute ago is better than none. The next asking is soon.
      this.#askedAt = Math.min(this.#askedAt, this.#options.now() - freshMs + 5_000);
    }
  }
}
