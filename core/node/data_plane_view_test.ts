import assert from "node:assert/strict";
import { testAuthority } from "../netconfig/testing.ts";
import type { Json } from "../plugin/types.ts";
import type { AclRule } from "../policy/mod.ts";
import { DatagramStream } from "../streams/mod.ts";
import { callCoreService } from "./core_services.ts";
import type { DataPlaneSnapshot } from "./data_plane_view.ts";
import type { Node } from "./node.ts";
import { datagramsProtocol } from "./session_datagrams.ts";
import { echoHooks, startTestNode, until } from "./testing.ts";

const ask = (node: Node, method: string, argument: Json) =>
  callCoreService(node, { service: "dataplane", method, argument }, 0);
const snapshot = async (node: Node, known = 0) =>
  await ask(node, "snapshot", { known }) as DataPlaneSnapshot | null;

/** Two nodes with a data plane that share no link, and a relay without one between them. */
async function threeNodes(stack: AsyncDisposableStack) {
  const authority = await testAuthority();
  const start = async (peers: readonly Node[], capabilities: readonly string[]) => {
    const started: { node?: Node } = {};
    const { node } = stack.use(
      await startTestNode(await authority.issue(), {
        peers: peers.map(({ listeners }) => listeners.address),
        capabilities,
        dialLearned: false,
        // On a busy machine WebSocket may win the race.
        websocket: false,
        hooks: {
          ...echoHooks,
          protocols: () => ["echo", datagramsProtocol],
          handleStream: async (_protocol, stream) => {
            await started.node!.datagrams.serve(stream);
            return true;
          },
        },
      }),
    );
    return started.node = node;
  };
  const relay = await start([], ["relay"]);
  const a = await start([relay], ["relay", "tun", "fec"]);
  const b = await start([relay], ["relay", "tun"]);
  await until("paths", () => "paths" in a.paths(b.id) && "paths" in b.paths(a.id));
  return { authority, relay, a, b };
}

const deny: AclRule = { action: "deny", from: "*", to: "*", ports: [], protocols: [], comment: "" };

Deno.test("a data plane is told of nodes that have one, how they are reached and what rules say", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, a, b } = await threeNodes(stack);
  const seen = await snapshot(a);
  assert.ok(seen !== null);
  assert.deepEqual(seen.links.map(({ id, kind }) => [id, kind]), [[relay.id, "quic"]]);
  const { host, port } = relay.listeners.address;
  assert.equal(seen.links[0]!.remote, `${host}:${port}`);
  assert.deepEqual(seen.addresses, a.credentials.certificate.meshAddresses);
  const [only] = seen.nodes;
  assert.deepEqual(seen.nodes.map(({ id, fec }) => [id, fec]), [[b.id, false]]);
  assert.deepEqual(only!.paths.map(({ nodes }) => nodes), [[a.id, relay.id, b.id]]);
  assert.deepEqual(seen.rules, [{ rules: [], otherwise: true }]);
  assert.equal((await snapshot(b))!.nodes[0]!.fec, true);
});

Deno.test("the same snapshot is not told twice; other rules make another one", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, a, b } = await threeNodes(stack);
  const first = await until("quiet", () => a.dataPlane.snapshot(0));
  await until("nothing new", () => a.dataPlane.snapshot(a.dataPlane.snapshot(0)!.version) === null);
  a.setPolicy([deny], []);
  const second = await snapshot(a, first.version);
  assert.deepEqual(second!.rules, [{
    rules: [{ allow: false, protocols: 7, ports: [], to: "all" }],
    otherwise: false,
  }]);
  assert.equal(await ask(relay, "mayCarry", { from: a.id, to: b.id }), true);
  relay.setPolicy([deny], []);
  assert.equal(await ask(relay, "mayCarry", { from: a.id, to: b.id }), false);
  relay.setPolicy([], []);
  await relay.revoke([b.id]);
  assert.equal(await ask(relay, "mayCarry", { from: a.id, to: b.id }), false);
});

Deno.test("the data plane says how packets travel, and the view keeps it", async () => {
  await using stack = new AsyncDisposableStack();
  const { a, b } = await threeNodes(stack);
  assert.equal(a.dataPlane.carrier(b.id), undefined);
  await ask(a, "carriers", { [b.id]: "fast" });
  assert.equal(a.dataPlane.carrier(b.id), "fast");
  await assert.rejects(ask(a, "carriers", { [b.id]: "pigeon" }), { code: "NETCONFIG_REQUEST" });
});

Deno.test("datagrams travel between the data planes of neighbours over their session", async () => {
  await using stack = new AsyncDisposableStack();
  const { relay, a } = await threeNodes(stack);
  const open = async (node: Node) => {
    const stream = await node.openStream({
      destination: node.id,
      protocol: datagramsProtocol,
      port: 0,
    });
    stack.defer(() => stream.reset());
    return new DatagramStream(stream);
  };
  const [near, far] = [await open(a), await open(relay)];
  const payload = new Uint8Array(900).fill(7);
  const frame = (id: string) => new Uint8Array([...Uint8Array.fromHex(id), ...payload]);
  // Loopback, but datagrams all the same: sent again until one has come.
  const again = setInterval(() => void near.send(frame(relay.id)), 50);
  try {
    assert.deepEqual(await far.receive(), frame(a.id));
  } finally {
    clearInterval(again);
  }
  await near.send(frame("f".repeat(32)));
  await until("the one for a stranger is dropped", () => a.datagrams.dropped > 0);
});
