import { makePeer, makeTables } from "../../../../plugins/tun-fec/loop/testing.ts";
import type { LabelTable } from "../../../../plugins/tun-fec/loop/types.ts";
import { JsonChild } from "../../json_child.ts";
import { outerAddress, type TunnelKind, type TunnelSite } from "../tunnel.ts";
import { answering } from "./answers.ts";

const hosts = { a: 1, b: 2, relay: 3 } as const;
type Node = keyof typeof hosts;
const device = "mesh0";
const inner = (node: Node) => `10.90.0.${hosts[node]}`;
const idOf = (node: Node) => `${hosts[node]}`.repeat(32);

/** pulse's packet loops, which are told by hand what the mesh would tell them; AES-128-GCM, as two nodes agree on. */
export const pulse: TunnelKind = {
  name: "pulse",
  commands: [],
  relays: true,
  async start(site) {
    await using stack = new AsyncDisposableStack();
    const { lab, nodes } = site;
    const module = new URL("../../peers/packet_loop.ts", import.meta.url);
    const loops = new Map<Node, { readonly child: JsonChild; readonly port: number }>();
    for (const node of nodes) {
      const inside = ["ip", "netns", "exec", lab.namespace(node)];
      const child = stack.use(new JsonChild(module, [device, inner(node)], inside));
      loops.set(node, { child, port: await child.number({ do: "open" }, "port") });
    }
    const endpoint = (node: Node, from: Node) =>
      `${outerAddress(site, node, from)}:${loops.get(node)!.port}`;
    for (const [node, { child }] of loops) {
      const tell = node === "relay" ? relayed(endpoint) : knows(site, node, endpoint);
      await child.call({ tell });
    }
    const owned = stack.move();
    const tunnel = await answering(site, inner("b"), []);
    return {
      ...tunnel,
      pids: [...loops.values()].map(({ child }) => child.pid),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

type EndpointOf = (node: Node, from: Node) => string;

/** What `a` or `b` is told: the other one, straight or by the relay, whose label is the other one's number. */
function knows({ nodes }: TunnelSite, self: Node, endpoint: EndpointOf): unknown[] {
  const peer = self === "a" ? "b" : "a";
  const direct = nodes.length === 2;
  const via = direct ? peer : "relay";
  const key = (to: Node) => ({
    epoch: 1,
    receiver: hosts[to],
    cipher: "aes-128-gcm",
    key: `0${hosts[to]}`.repeat(16),
  });
  const path = {
    endpoint: endpoint(via, self),
    via: idOf(via),
    label: direct ? 0 : 100 + hosts[peer],
    weight: 1,
  };
  const addresses = [`${inner(peer)}/32`];
  const table = makePeer({ id: idOf(peer), index: 1, addresses, paths: [path] });
  return [
    { do: "tables", tables: makeTables([`${inner(self)}/32`], [table]) },
    { do: "receive", peer: 1, key: key(self) },
    { do: "seal", peer: 1, key: key(peer) },
  ];
}

function relayed(endpoint: EndpointOf): unknown[] {
  const labels = (["a", "b"] as const).map((node): LabelTable => ({
    label: 100 + hosts[node],
    endpoint: endpoint(node, "relay"),
    next: hosts[node],
  }));
  return [{ do: "tables", tables: makeTables([`${inner("relay")}/32`], [], { labels }) }];
}
