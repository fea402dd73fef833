import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { LogFn } from "../plugin/types.ts";
import { ControlChannel, controlKind } from "./control_channel.ts";
import { ControlLinks } from "./control_links.ts";
import type { Link, LinkManager } from "./link_manager.ts";
import type { ObservedAddresses } from "./observed_addresses.ts";

/** Somebody who talks to neighbours over their control channels. */
export interface ControlParty {
  linkUp(peer: NodeId): void;
  linkDown(peer: NodeId): void;
  receive(peer: NodeId, body: Uint8Array): void;
}

export interface ControlTrafficOptions {
  readonly log: LogFn;
  readonly links: Pick<LinkManager, "primary">;
  readonly observed: Pick<ObservedAddresses, "tell" | "told">;
  /** By the kind of their messages; told of a link in this order. */
  parties(): ReadonlyMap<number, ControlParty>;
}

/** Takes what neighbours say on their control channels to whom it is for. */
export class ControlTraffic {
  readonly #options: ControlTrafficOptions;
  readonly #channels: ControlLinks;
  /** Links that have been given a control channel: once each, however often they become preferred. */
  readonly #opened = new WeakSet<Link>();

  constructor(options: ControlTrafficOptions) {
    const { log, links, observed } = options;
    this.#options = options;
    this.#channels = new ControlLinks({
      log,
      primary: (peer) => links.primary(peer),
      events: {
        up: (peer) => {
          observed.tell(peer);
          for (const party of options.parties().values()) party.linkUp(peer);
        },
        down: (peer) => {
          for (const party of options.parties().values()) party.linkDown(peer);
        },
        message: (link, kind, body) => {
          if (kind === controlKind.observedAddress) observed.told(link.peer, body);
          else options.parties().get(kind)?.receive(link.peer, body);
        },
      },
    });
  }

  send(peer: NodeId, kind: number, body: Uint8Array): void {
    this.#channels.send(peer, kind, body);
  }

  /** A neighbour opened its channel. Resolves when that has ended. */
  async accepted(link: Link, channel: ControlChannel): Promise<void> {
    await this.#channels.run(link, channel);
  }

  /** Opens the channel of a link that has none; whoever dialled does. Never rejects. */
  async open(link: Link): Promise<void> {
    if (link.role !== "dialler" || this.#opened.has(link)) return;
    this.#opened.add(link);
    try {
      await this.#channels.run(link, await ControlChannel.open(await link.openStream()));
    } catch (error) {
      this.#options.log("debug", "no control channel", {
        peer: link.peer,
        error: errorText(error),
      });
    }
  }
}
