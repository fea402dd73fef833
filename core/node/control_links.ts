import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { ControlChannel } from "./control_channel.ts";
import type { Link } from "./link_manager.ts";

export interface ControlLinkEvents {
  /** Control messages can now be exchanged with this peer. */
  up(peer: NodeId): void;
  down(peer: NodeId): void;
  message(link: Link, kind: number, body: Uint8Array): void;
}

/** One control channel a session; messages to a peer take the channel of its preferred session. */
export class ControlLinks {
  readonly #channels = new Map<NodeId, Map<Link, ControlChannel>>();
  readonly #events: ControlLinkEvents;
  readonly #primary: (peer: NodeId) => Link | undefined;
  readonly #log: LogFn;

  constructor(options: {
    events: ControlLinkEvents;
    primary: (peer: NodeId) => Link | undefined;
    log: LogFn;
  }) {
    this.#events = options.events;
    this.#primary = options.primary;
    this.#log = options.log;
  }

  /** False when no channel to the peer took it. */
  send(peer: NodeId, kind: number, body: Uint8Array): boolean {
    const channels = this.#channels.get(peer);
    if (channels === undefined) return false;
    const primary = this.#primary(peer);
    const channel = (primary && channels.get(primary)) ?? channels.values().next().value;
    return channel?.send(kind, body) ?? false;
  }

  /** Runs a channel until it ends. One a link: a second one would let a peer multiply what we hold for it. */
  async run(link: Link, channel: ControlChannel): Promise<void> {
    const { peer } = link;
    const channels = this.#channels.get(peer) ?? new Map<Link, ControlChannel>();
    if (channels.has(link)) return channel.close();
    channels.set(link, channel);
    this.#channels.set(peer, channels);
    if (channels.size === 1) this.#events.up(peer);
    await channel.run((kind, body) => this.#events.message(link, kind, body), this.#log);
    channels.delete(link);
    if (channels.size === 0) {
      this.#channels.delete(peer);
      this.#events.down(peer);
    }
  }
}
