import assert from "node:assert/strict";
import { testAuthority } from "../netconfig/testing.ts";
import type { ConfigBody } from "../netconfig/mod.ts";
import { StreamError } from "../streams/mod.ts";
import type { MeshStream, StreamRequest } from "../streams/mod.ts";
import { callCoreService } from "./core_services.ts";
import { findExit } from "./find_exit.ts";
import type { Node } from "./node.ts";
import { openExitStream } from "./open_exit_stream.ts";
import { startTestNode, until } from "./testing.ts";

/** A user, and two exits linked to it, whose ranges are approved. */
async function threeNodes(stack: AsyncDisposableStack, use: string | null, killswitch = false) {
  const authority = await testAuthority();
  const exit = (...cidrs: string[]) => ({ cidrs, use: null, killswitch: false });
  const start = async (options: Parameters<typeof startTestNode>[1]) =>
    stack.use(await startTestNode(await authority.issue(), options)).node;
  const user = await start({ exit: { cidrs: [], use, killswitch } });
  const peers = [user.listeners.address];
  const capabilities = ["relay", "exit"];
  const ranges = ["192.168.7.0/24", "0.0.0.0/0", "127.0.0.0/8"];
  const first = await start({ peers, capabilities, exit: exit(...ranges) });
  const second = await start({ peers, capabilities, exit: exit("192.168.7.0/24") });
  user.networkConfig.adoptGrant(authority.grant(1, user.id).bytes);
  await approve(user, [
    ...ranges.map((cidr) => ({ cidr, via: first.id })),
    { cidr: "192.168.7.0/24", via: second.id },
  ]);
  await until(
    "both exits",
    () => user.exits.list().filter(({ score }) => score !== null).length > 3,
  );
  await until("the approval there", () => first.exits.own().length === 2);
  return { user, first, second };
}

async function approve(scribe: Node, routes: ConfigBody["routes"]): Promise<void> {
  const { body, state } = scribe.networkConfig;
  const { epoch, version } = state.config?.document ?? { epoch: 0, version: 0 };
  await scribe.networkConfig.publish({
    body: { ...body, routes },
    note: "",
    expect: { epoch, version },
  });
}

const request = (target: string) => ({
  protocol: "tcp.exit",
  target,
  port: Number(target.split(":").at(-1)),
});

Deno.test("an exit that cannot be reached costs another try through the next best, a refusal does not", async () => {
  await using stack = new AsyncDisposableStack();
  const { user, first, second } = await threeNodes(stack, null);
  const asked: string[] = [];
  const open = (code: "STREAM_NO_LINK" | "STREAM_DENIED") => ({ destination }: StreamRequest) => {
    asked.push(destination);
    return Promise.reject<MeshStream>(new StreamError(code, "no"));
  };
  const through = (code: Parameters<typeof open>[0], target: string) =>
    openExitStream(request(target), { self: user.id, exits: user.exits, open: open(code) });
  await assert.rejects(through("STREAM_NO_LINK", "192.168.7.1:80"), { code: "STREAM_NO_LINK" });
  assert.deepEqual([...asked].sort(), [first.id, second.id].sort());
  asked.length = 0;
  await assert.rejects(through("STREAM_DENIED", "192.168.7.1:80"), { code: "STREAM_DENIED" });
  assert.equal(asked.length, 1);
  await assert.rejects(through("STREAM_DENIED", "192.168.8.1:80"), { code: "EXIT_NONE" });
});

Deno.test("an exit leads to its approved ranges and nowhere else, whatever it lets members reach otherwise", async () => {
  await using stack = new AsyncDisposableStack();
  const { user, first, second } = await threeNodes(stack, "auto");
  using local = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = local.addr;
  // As an ordinary target it is served: the test's nodes let members reach their loopback.
  const [stream, conn] = await Promise.all([
    user.openStream({ ...request(`127.0.0.1:${port}`), protocol: "tcp", destination: first.id }),
    local.accept(),
  ]);
  stream.reset();
  conn.close();
  const ask = (exit: Node, target: string, protocol = "tcp.exit") =>
    user.openStream({ ...request(target), protocol, destination: exit.id });
  for (const target of [`127.0.0.1:${port}`, `localhost:${port}`, `[::ffff:127.0.0.1]:${port}`]) {
    await assert.rejects(ask(first, target), { code: "STREAM_DENIED" }, target);
  }
  for (const host of ["169.254.169.254", "10.100.0.7", "[2001:db8::1]"]) {
    await assert.rejects(ask(first, `${host}:80`), { code: "STREAM_DENIED" }, host);
    await assert.rejects(ask(first, `${host}:80`, "udp.exit"), { code: "STREAM_DENIED" }, host);
  }
  await assert.rejects(ask(second, "192.0.2.1:80"), /does not lead to 192\.0\.2\.1/);
  // Once the approval is taken back, nor there.
  await approve(user, []);
  await until("the withdrawal", () => second.exits.own().length === 0);
  await assert.rejects(ask(second, "192.168.7.1:80"), { code: "STREAM_DENIED" });
});

Deno.test("a name goes to the exit that leads to one of its addresses, an address of this node's own range nowhere", async () => {
  await using stack = new AsyncDisposableStack();
  const { user, first } = await threeNodes(stack, null);
  const find = (node: Node, host: string, ...addresses: string[]) =>
    findExit(node.exits, node.id, { host, resolve: () => Promise.resolve(addresses) });
  const found = await find(user, "db.example", "192.0.2.1", "192.168.7.5");
  assert.equal(found, user.exits.find("192.168.7.5")?.via);
  assert.equal(await find(user, "www.example", "192.0.2.1"), null);
  assert.equal(await find(user, "gone.example"), null);
  assert.equal(await find(first, "192.168.7.5"), null);
  const service = { service: "exits", method: "find", argument: { host: "192.168.7.5" } };
  assert.equal(await callCoreService(user, service, 0), found);
});

Deno.test("with the kill switch the internet is reached through the exit or not at all, a site's own network as before", async () => {
  await using stack = new AsyncDisposableStack();
  const { user, first } = await threeNodes(stack, "auto", true);
  const find = (host: string) => findExit(user.exits, user.id, { host });
  assert.equal(await find("192.0.2.1"), first.id);
  await assert.rejects(find("2001:db8::1"), { code: "EXIT_DOWN" });
  await approve(user, []);
  await assert.rejects(find("192.0.2.1"), { code: "EXIT_DOWN" });
  assert.equal(await find("192.168.1.1"), null);
});
