import { dropDevice, loseUdp } from "./nft_tables.ts";

/** One node's end of a link. */
export interface Plug {
  readonly node: string;
  /** The interface's name inside the node. */
  readonly device: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** What a link needs of its lab. */
export interface LinkHost {
  exec(node: string, ...argv: string[]): Promise<string>;
  nft(node: string, ruleset: string): Promise<void>;
}

/** A cable between two nodes, or a switch with several. */
export class LabLink {
  readonly plugs: readonly Plug[];
  readonly #lab: LinkHost;

  constructor(plugs: readonly Plug[], lab: LinkHost) {
    this.plugs = plugs;
    this.#lab = lab;
  }

  /** Whether these two nodes are plugged in. */
  connects(a: string, b: string): boolean {
    return [a, b].every((node) => this.plugs.some((plug) => plug.node === node));
  }

  /** A node's end. @throws {Error} the node is not plugged in */
  plug(node: string): Plug {
    const plug = this.plugs.find((candidate) => candidate.node === node);
    if (plug === undefined) throw new Error(`${node} is not plugged into this link`);
    return plug;
  }

  /** A node's address on this link, such as `10.77.0.1`. */
  ipv4(node: string): string {
    return this.plug(node).ipv4;
  }

  /** A node's address on this link, such as `fd00:77:0::1`. */
  ipv6(node: string): string {
    return this.plug(node).ipv6;
  }

  /** Pulls the plug of one node, or of all: its system sees the interface go down. Routes through it are lost. */
  async cut(...nodes: string[]): Promise<void> {
    for (const { node, device } of this.#of(nodes)) {
      await this.#lab.exec(node, "ip", "link", "set", device, "down");
    }
  }

  /** Undoes `cut()`; addresses are as before. */
  async heal(...nodes: string[]): Promise<void> {
    for (const { node, device } of this.#of(nodes)) {
      await this.#lab.exec(node, "ip", "link", "set", device, "up");
    }
  }

  /** Everything that arrives here vanishes and nobody is told: a provider that has failed. */
  async blackhole(...nodes: string[]): Promise<void> {
    for (const { node, device } of this.#of(nodes)) {
      await this.#lab.nft(node, dropDevice(this.#table(device), device));
    }
  }

  /** Undoes `blackhole()`. */
  async unblackhole(...nodes: string[]): Promise<void> {
    for (const { node, device } of this.#of(nodes)) {
      await this.#lab.exec(node, "nft", "delete", "table", "inet", this.#table(device));
    }
  }

  /** Some of all UDP datagrams vanish on arrival, at random; a train that crosses whole counts as one. */
  async loseUdp(perThousand: number): Promise<void> {
    for (const { node, device } of this.plugs) {
      await this.#lab.nft(node, loseUdp(this.#table(`some-${device}`), device, perThousand));
    }
  }

  /** Carries every datagram alone, as most cards do: nothing crosses in one piece any more. Needs `ethtool`. */
  async splitTrains(): Promise<void> {
    for (const { node, device } of this.plugs) {
      await this.#lab.exec(node, "ethtool", "-K", device, "tx-udp-segmentation", "off");
    }
  }

  #of(nodes: readonly string[]): readonly Plug[] {
    return nodes.length === 0 ? this.plugs : nodes.map((node) => this.plug(node));
  }

  #table(device: string): string {
    return `lab_hole_${device.replaceAll("-", "_")}`;
  }
}
