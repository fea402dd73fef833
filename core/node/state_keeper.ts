import { join } from "node:path";
import { dataFiles } from "../control/types.ts";
import { errorText } from "../errors/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { loadPeers, type RememberedPeer, savePeers } from "./peers_store.ts";
import { reserveSequences, sequencesPerReservation } from "./sequence_store.ts";
import { sleep } from "./sleep.ts";

/** Peers are remembered and sequences reserved this often, and for the first time this soon. */
const housekeepingMs = { first: 5_000, then: 60_000 };

export interface StateKeeperOptions {
  readonly dataDir: string;
  /** A relay remembers nobody: it may dial only whom it was told of. */
  readonly remembers: boolean;
  readonly log: LogFn;
}

/** What is kept of a node between its lives: peers to go back to, and how far its gossip sequence may have come. */
export class StateKeeper {
  readonly #options: StateKeeperOptions;
  readonly #peersPath: string;
  #reservedUpTo = 0;

  constructor(options: StateKeeperOptions) {
    this.#options = options;
    this.#peersPath = join(options.dataDir, dataFiles.peers);
  }

  /** Peers of the last life. */
  async peers(): Promise<RememberedPeer[]> {
    return this.#options.remembers ? await loadPeers(this.#peersPath) : [];
  }

  /** Reserves sequences on the disk: the first of them. */
  async reserve(): Promise<number> {
    const first = await reserveSequences(join(this.#options.dataDir, dataFiles.state));
    this.#reservedUpTo = first + sequencesPerReservation;
    return first;
  }

  /** Keeps what is on the disk up to date until the signal. */
  async run(node: () => KeptNode | undefined, signal: AbortSignal): Promise<void> {
    let wait = housekeepingMs.first;
    while (!signal.aborted) {
      await sleep(wait, signal);
      wait = housekeepingMs.then;
      const kept = node();
      if (kept === undefined) continue;
      try {
        while (kept.sequence > this.#reservedUpTo - sequencesPerReservation / 2) {
          await this.reserve();
        }
        if (this.#options.remembers) await savePeers(this.#peersPath, kept.remembered());
      } catch (error) {
        // A full disk costs what would have been remembered, never the mesh.
        this.#options.log("warn", "state could not be saved", { error: errorText(error) });
      }
    }
  }

  /** The node is about to end. */
  async save(node: KeptNode): Promise<void> {
    if (!this.#options.remembers) return;
    try {
      await savePeers(this.#peersPath, node.remembered());
    } catch (error) {
      this.#options.log("warn", "peers could not be saved", { error: errorText(error) });
    }
  }
}

/** The part of a node that is kept. */
export interface KeptNode {
  /** Highest gossip sequence used so far. */
  readonly sequence: number;
  remembered(): RememberedPeer[];
}
