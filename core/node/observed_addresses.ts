import type { NodeId } from "../identity/types.ts";
import { readObservedAddress } from "./advertise.ts";
import { controlKind } from "./control_channel.ts";
import type { Link } from "./link_manager.ts";

/** Longest message about an address; an IPv6 address with a port takes 47 bytes. */
const maxBytes = 64;

export interface ObservedAddressesOptions {
  link(peer: NodeId): Link | undefined;
  send(peer: NodeId, kind: number, body: Uint8Array): void;
  /** A neighbour sees this node elsewhere than before. */
  changed(): void;
}

/** Where QUIC neighbours are seen, told to them, and where this node is seen, told by them: its port as its NAT maps it. */
export class ObservedAddresses {
  readonly #options: ObservedAddressesOptions;
  readonly #seen = new Map<NodeId, string>();

  constructor(options: ObservedAddressesOptions) {
    this.#options = options;
  }

  /** Where each neighbour sees this node, `ip:port`. */
  get seen(): ReadonlyMap<NodeId, string> {
    return this.#seen;
  }

  /** Tells a QUIC neighbour where it is seen from here. */
  tell(peer: NodeId): void {
    const link = this.#options.link(peer);
    if (link === undefined || link.kind === "websocket") return;
    const body = new TextEncoder().encode(link.session.remoteAddress);
    this.#options.send(peer, controlKind.observedAddress, body);
  }

  /** One word a peer about how it sees us; a lie costs others a failed dial of a certificate that does not fit. */
  told(peer: NodeId, body: Uint8Array): void {
    const address = body.length <= maxBytes ? readObservedAddress(body) : undefined;
    if (address === undefined || address === this.#seen.get(peer)) return;
    this.#seen.set(peer, address);
    this.#options.changed();
  }

  forget(peer: NodeId): void {
    this.#seen.delete(peer);
  }
}
