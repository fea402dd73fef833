import { makePeer, makeTables } from "../../../plugins/tun-fec/loop/testing.ts";
import type { LoopCommand, LoopStats } from "../../../plugins/tun-fec/loop/types.ts";
import type { LabLink } from "../../lab/lab_link.ts";
import { LossyWire } from "../../lab/lossy_wire.ts";
import { Lab } from "../../lab/namespaces.ts";
import { PacketNode } from "../../lab/packet_node.ts";
import { eventually } from "../../lab/wait.ts";

const hosts = { a: 1, b: 2 } as const;
type Host = keyof typeof hosts;
/** A node inside the tunnel. */
export const inner = (node: Host) => `10.91.0.${hosts[node]}`;

/** Two packet loops that know each other. */
export interface FecPair extends AsyncDisposable {
  /** What the far end has seen of the near one. */
  stats(): Promise<LoopStats["peers"][number]>;
}

/** `a` and `b`, with a cable between them, and beside it a lossy wire that lies in a node of its own. */
export class FecSite implements AsyncDisposable {
  readonly lab: Lab;
  readonly wire: LossyWire;
  readonly namespaces: Readonly<Record<Host, string>>;
  readonly #cable: LabLink;
  readonly #left: LabLink;
  readonly #right: LabLink;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    lab: Lab,
    namespaces: Readonly<Record<Host, string>>,
    wire: LossyWire,
    [cable, left, right]: readonly [LabLink, LabLink, LabLink],
    owned: AsyncDisposableStack,
  ) {
    this.lab = lab;
    this.namespaces = namespaces;
    this.wire = wire;
    this.#cable = cable;
    this.#left = left;
    this.#right = right;
    this.#owned = owned;
  }

  static async create(): Promise<FecSite> {
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(await Lab.create("pulsebench"));
    const namespaces = { a: await lab.node("a"), b: await lab.node("b") };
    const between = await lab.node("wire");
    const links = [
      await lab.link("a", "b"),
      await lab.link("a", "wire"),
      await lab.link("wire", "b"),
    ] as const;
    const wire = stack.use(new LossyWire(between));
    return new FecSite(lab, namespaces, wire, links, stack.move());
  }

  /** Starts two loops that have never met loss. @param over what joins them */
  async pair(over: "cable" | "wire", fec: boolean): Promise<FecPair> {
    await using stack = new AsyncDisposableStack();
    const start = async (node: Host) =>
      stack.use(
        await PacketNode.start({
          lab: this.lab,
          node,
          addresses: [inner(node)],
          routes: ["10.91.0.0/24"],
        }),
      );
    const [a, b] = [await start("a"), await start("b")];
    const [left, right] = [this.#left, this.#right];
    this.wire.plug(
      { address: left.ipv4("a"), port: a.port },
      { address: right.ipv4("b"), port: b.port },
    );
    const cable = this.#cable;
    const ends = over === "cable"
      ? { a: `${cable.ipv4("a")}:${a.port}`, b: `${cable.ipv4("b")}:${b.port}` }
      : {
        a: `${right.ipv4("wire")}:${this.wire.ports[1]}`,
        b: `${left.ipv4("wire")}:${this.wire.ports[0]}`,
      };
    a.tell(...knows("a", "b", ends.b, fec));
    b.tell(...knows("b", "a", ends.a, fec));
    const argv = ["ping", "-c1", "-W1", inner("b")];
    await eventually(async () => (await this.lab.run("a", argv)).code === 0, {
      what: "the far end answers",
    });
    const owned = stack.move();
    return {
      stats: async () => (await b.stats()).peers[0]!,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

/** Tables and keys of a node with one peer. */
function knows(self: Host, peer: Host, endpoint: string, fec: boolean): LoopCommand[] {
  const id = peer.repeat(32);
  const key = (to: Host) => ({
    epoch: 1,
    receiver: hosts[to],
    cipher: "aes-128-gcm" as const,
    key: new Uint8Array(16).fill(hosts[to]),
  });
  const paths = [{ endpoint, via: id, label: 0, weight: 1 }];
  const table = makePeer({ id, index: 1, fec, addresses: [`${inner(peer)}/32`], paths });
  return [
    { do: "tables", tables: makeTables([`${inner(self)}/32`], [table]) },
    { do: "receive", peer: 1, key: key(self) },
    { do: "seal", peer: 1, key: key(peer) },
  ];
}
