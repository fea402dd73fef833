import { errorCode } from "../../core/errors/mod.ts";
import { ipToText, parseIpv4, parseIpv6 } from "../../core/identity/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { PeerInfo } from "../../core/plugin/types.ts";

/** How long an answer about the peers is used again; a program may open a hundred connections at once. */
const freshMs = 2_000;

/** Which node has which mesh address: a client that resolves `.pulse` names itself asks for the address. */
export class MeshAddressBook {
  readonly #peers: () => Promise<readonly PeerInfo[]>;
  readonly #now: () => number;
  #nodes: Promise<ReadonlyMap<string, NodeId>> | undefined;
  #readAt = -Infinity;

  /** @param now monotonic milliseconds */
  constructor(peers: () => Promise<readonly PeerInfo[]>, now: () => number) {
    this.#peers = peers;
    this.#now = now;
  }

  /** The node with this address; undefined when no peer has it. @throws {PulseError} core cannot say */
  async find(address: string): Promise<NodeId | undefined> {
    const now = this.#now();
    if (this.#nodes === undefined || now - this.#readAt >= freshMs) {
      this.#readAt = now;
      this.#nodes = this.#read();
      // A failure is everybody's who waits for it now, and nobody's later.
      this.#nodes.catch(() => this.#nodes = undefined);
    }
    return (await this.#nodes).get(canonical(address));
  }

  async #read(): Promise<ReadonlyMap<string, NodeId>> {
    const nodes = new Map<string, NodeId>();
    let peers: readonly PeerInfo[];
    try {
      peers = await this.#peers();
    } catch (error) {
      if (errorCode(error) === "NODE_NOT_JOINED") return nodes;
      throw error;
    }
    for (const { id, meshAddresses } of peers) {
      for (const address of meshAddresses) nodes.set(canonical(address), id);
    }
    return nodes;
  }
}

/** Equal addresses are equal texts. */
function canonical(address: string): string {
  const bytes = parseIpv4(address) ?? parseIpv6(address);
  return bytes === null ? address : ipToText(bytes);
}
