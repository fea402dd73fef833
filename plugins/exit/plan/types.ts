import type { NftChain, Route } from "../../../ffi/mod.ts";

/** What core knows that matters for packets that leave the mesh. */
export interface ExitSnapshot {
  /** Ranges this node leads others to, which are approved. */
  readonly own: readonly string[];
  /** Ranges that are reached through other exits now. */
  readonly active: readonly string[];
  /** Through whom the whole internet goes; null: through nobody. */
  readonly use: string | null;
  readonly killswitch: boolean;
  /** The mesh's own ranges. */
  readonly meshCidrs: readonly string[];
  /** This node listens on it, over UDP and TCP. */
  readonly port: number;
  /** `ip:port` where other nodes are dialled. */
  readonly underlay: readonly string[];
}

/** What there is on this machine. */
export interface HostFacts {
  /** The interface of the mesh; undefined while there is none. */
  readonly device: { readonly name: string; readonly index: number } | undefined;
  readonly links: readonly {
    readonly index: number;
    readonly name: string;
    readonly up: boolean;
    readonly loopback: boolean;
  }[];
  /** Of the main table. */
  readonly routes: readonly Route[];
  /** Addresses of this machine on other interfaces. */
  readonly addresses: readonly string[];
  readonly chains: readonly NftChain[];
  /** Servers that names are asked for. */
  readonly nameservers: readonly string[];
}
