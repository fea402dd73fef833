import assert from "node:assert/strict";
import type { LoopCommand } from "../../plugins/tun-fec/loop/types.ts";
import { makePeer, makeTables } from "../../plugins/tun-fec/loop/testing.ts";
import { ImpairedWire, type Impairments, Lab, PacketNode } from "../lab/mod.ts";
import { readLines } from "../lab/lines.ts";
import type { Moved } from "./fixtures/tcp_digest.ts";

const hosts = { a: 1, b: 2 } as const;
export const inner4 = (node: keyof typeof hosts) => `10.100.0.${hosts[node]}`;
export const inner6 = (node: keyof typeof hosts) => `fd00:100::${hosts[node]}`;
export const megabyte = 1 << 20;

type Node = keyof typeof hosts;

async function startLoop(lab: Lab, node: Node, listen = "0.0.0.0"): Promise<PacketNode> {
  return await PacketNode.start({
    lab,
    node,
    addresses: [inner4(node), inner6(node)],
    routes: ["10.100.0.0/16", "fd00:100::/64"],
    listen,
  });
}

/** Two loops that know each other, by the cable's addresses of one family. */
export async function packetPair(
  stack: AsyncDisposableStack,
  { outer = "ipv4", fec = false }: {
    readonly outer?: "ipv4" | "ipv6";
    readonly fec?: boolean;
  } = {},
) {
  const lab = stack.use(await Lab.create());
  await lab.node("a");
  await lab.node("b");
  const cable = await lab.link("a", "b");
  const listen = outer === "ipv6" ? "::" : "0.0.0.0";
  const a = stack.use(await startLoop(lab, "a", listen));
  const b = stack.use(await startLoop(lab, "b", listen));
  const endpoint = (node: Node, port: number) =>
    outer === "ipv4" ? `${cable.ipv4(node)}:${port}` : `[${cable.ipv6(node)}]:${port}`;
  a.tell(...knows("a", "b", endpoint("b", b.port), fec));
  b.tell(...knows("b", "a", endpoint("a", a.port), fec));
  return { lab, cable, a, b };
}

/** Two loops with a wire between them that loses, reorders and repeats. */
export async function impairedPair(stack: AsyncDisposableStack, impairments: Impairments) {
  const lab = stack.use(await Lab.create());
  for (const name of ["a", "wire", "b"]) await lab.node(name);
  const [ofA, ofB] = [await lab.link("a", "wire"), await lab.link("wire", "b")];
  const [a, b] = [stack.use(await startLoop(lab, "a")), stack.use(await startLoop(lab, "b"))];
  const wire = await ImpairedWire.start({
    lab,
    node: "wire",
    address: "0.0.0.0",
    ends: [`${ofA.ipv4("a")}:${a.port}`, `${ofB.ipv4("b")}:${b.port}`],
    impairments,
    seed: "packets",
  });
  a.tell(...knows("a", "b", `${ofA.ipv4("wire")}:${wire.port}`, false));
  b.tell(...knows("b", "a", `${ofB.ipv4("wire")}:${wire.port}`, false));
  return { lab, a, b, wire };
}

/** Tables and keys of a node with one peer. */
function knows(self: Node, peer: Node, endpoint: string, fec: boolean): LoopCommand[] {
  const id = peer.repeat(32);
  const key = (to: Node) => ({
    epoch: 1,
    receiver: hosts[to],
    cipher: "aes-256-gcm" as const,
    key: new Uint8Array(32).fill(hosts[to]),
  });
  return [
    {
      do: "tables",
      tables: makeTables([`${inner4(self)}/32`, `${inner6(self)}/128`], [
        makePeer({
          id,
          index: 1,
          fec,
          addresses: [`${inner4(peer)}/32`, `${inner6(peer)}/128`],
          paths: [{ endpoint, via: id, label: 0, weight: 1 }],
        }),
      ]),
    },
    { do: "receive", peer: 1, key: key(self) },
    { do: "seal", peer: 1, key: key(peer) },
  ];
}

/** Sends random bytes over TCP from one node to the other. @returns what each end says of them */
export async function transfer(lab: Lab, from: string, to: string, address: string, bytes: number) {
  const fixture = new URL("./fixtures/tcp_digest.ts", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "-A", "--no-check", fixture];
  const receiver = lab.spawn(to, [...deno, "receive", address], { stdout: "piped" });
  const lines = readLines(receiver.stdout);
  const port = (await lines.next()).value;
  const send = [...deno, "send", address, `${port}`, `${bytes}`];
  const { stdout, stderr } = await lab.run(from, send, { timeoutMs: 180_000 });
  assert.notEqual(stdout, "", stderr);
  const received: Moved = JSON.parse((await lines.next()).value ?? "null");
  await lines.return(undefined);
  await receiver.status;
  return { sent: JSON.parse(stdout) as Moved, received };
}
