import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { rule, testId, testNode } from "../policy/testing.ts";
import { StreamError } from "../streams/mod.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { PolicyGate } from "./policy_gate.ts";

const [dev, relay, prod] = [testId("d"), testId("b"), testId("e")];
const nodes = [
  testNode("d", "laptop", ["dev"]),
  testNode("b"),
  testNode("e", "db", ["prod"], ["10.100.0.9"]),
];
const closed = rule("deny", "tag:dev", "tag:prod", { ports: "22" });
const all = rule("allow", "*", "*");

function gateOf(self: string, ...rules: Parameters<PolicyGate["replace"]>[0]) {
  const gate = new PolicyGate({ self, addresses: () => ["10.100.0.1"], log: () => {} });
  void gate.replace(rules, nodes);
  return gate;
}

const denied = (message: RegExp) => (error: unknown) =>
  error instanceof StreamError && error.status === "STREAM_DENIED" && message.test(error.message);

Deno.test("a refusal names the place, the rule and its number, at source, relay and destination", async () => {
  const request = { destination: prod, protocol: "tcp", port: 22, target: "localhost:22" };
  const header = { path: [dev, relay, prod], protocol: "tcp", port: 22 };
  const origin = { ...(await (await createTestCa()).issue()).certificate, id: dev };
  const incoming = { origin, protocol: "tcp", target: "localhost:22", port: 22, path: header.path };
  const source = gateOf(dev, closed, all);
  const text = (place: string) =>
    new RegExp(
      `^Denied by the policy at the ${place}, rule 0: deny tag:dev -> tag:prod ports 22$`,
    );
  assert.throws(() => source.admitRequest(request), denied(text("source")));
  source.admitRequest({ ...request, port: 23, target: "localhost:23" });
  assert.throws(
    () => gateOf(relay, closed, all).authorize({ ...header, position: 1 }),
    denied(text("relay")),
  );
  const destination = gateOf(prod, closed, all);
  assert.throws(
    () => destination.authorize({ ...header, position: 2 }),
    denied(text("destination")),
  );
  assert.throws(() => destination.admitIncoming(incoming), denied(text("destination")));
  assert.throws(
    () => gateOf(prod, rule("allow", "db", "*")).admitIncoming(incoming),
    denied(/^Denied by the policy at the destination, no rule allows it$/),
  );
  assert.deepEqual([...destination.denials().byRule], [[0, 2]]);
});

Deno.test("what nodes say among themselves passes rules that deny everything", () => {
  const gate = gateOf(dev, rule("deny", "*", "*"));
  for (const protocol of ["ca.join", "ca.renew", "core.update", "scribe.call"]) {
    assert.equal(gate.admitRequest({ destination: prod, protocol, port: 0 }), null);
    gate.authorize({ path: [dev, prod], position: 1, protocol, port: 0 });
  }
  for (const protocol of ["tcp", "udp", "echo"]) {
    assert.throws(
      () => gate.admitRequest({ destination: prod, protocol, port: 0 }),
      denied(/rule 0/),
    );
  }
});

Deno.test("datagrams are udp to the rules, streams are tcp", () => {
  const gate = gateOf(dev, rule("deny", "*", "*", { protocols: ["udp"] }), all);
  const ask = (protocol: string) => gate.admitRequest({ destination: prod, protocol, port: 53 });
  for (const protocol of ["udp", "udp.tun"]) assert.throws(() => ask(protocol), denied(/rule 0/));
  for (const protocol of ["tcp", "echo", "udpish"]) assert.ok(ask(protocol));
});

Deno.test("the addresses of a target are judged where they are known, and only allowed ones are dialled", async () => {
  const rules = [
    rule("deny", "*", "10.0.0.0/16"),
    rule("deny", "tag:dev", "tag:prod"),
    rule("allow", "*", "10.0.0.0/8"),
    rule("allow", "*", testId("b")),
  ];
  const source = gateOf(dev, ...rules);
  const open = (target: string) =>
    source.admitRequest({ destination: relay, protocol: "tcp", port: 80, target });
  assert.throws(() => open("10.0.0.5:80"), denied(/rule 0/));
  assert.throws(() => open("[::ffff:10.0.0.5]:80"), denied(/rule 0/));
  assert.throws(() => open("10.100.0.9:80"), denied(/rule 1/), "a way round to prod");
  assert.throws(() => open("192.0.2.1:80"), denied(/no rule/));
  for (const target of ["10.1.0.5:80", "localhost:80", "127.0.0.1:80", "db.lan:80", "?"]) {
    assert.ok(open(target), target);
  }
  const destination = gateOf(relay, ...rules);
  const origin = { ...(await (await createTestCa()).issue()).certificate, id: dev };
  const permitted = (...addresses: string[]) => {
    const flow = destination.admitIncoming({
      origin,
      protocol: "tcp",
      target: "db.lan:80",
      port: 80,
      path: [dev, relay],
    });
    const targets = destination.targets(flow, { any: true, allowsLocalPort: () => false });
    return targets.permitted?.(addresses);
  };
  assert.deepEqual(permitted("10.0.0.5", "10.1.0.5", "192.0.2.1"), ["10.1.0.5"]);
  assert.deepEqual(permitted("127.0.0.1", "::1", "10.100.0.1"), ["127.0.0.1", "::1", "10.100.0.1"]);
  assert.throws(() => permitted("10.0.0.5"), denied(/rule 0/));
  assert.throws(() => permitted("10.100.0.9"), denied(/rule 1/));
  assert.throws(() => permitted("192.0.2.1", "fd00::1"), denied(/no rule/));
});

Deno.test("rules that turn against an open flow cut it, and leave the others and ended ones alone", async () => {
  const gate = gateOf(relay, all);
  const header = { path: [dev, relay, prod], position: 1, protocol: "tcp" };
  const hold = (port: number) => {
    const [near, far] = memoryStreamPair();
    gate.holdRelayed({ ...header, port }, near);
    return far;
  };
  const [ssh, web, ended] = [hold(22), hold(80), hold(22)];
  gate.holdRelayed({ ...header, protocol: "ca.renew", port: 0 }, memoryStreamPair()[0]);
  assert.equal(gate.flows, 3);
  ended.reset();
  await ended.closed;
  assert.equal(gate.flows, 2);
  void gate.replace([closed, all], nodes);
  // Without waiting for anything: the first flows are cut while the rules are being replaced.
  await assert.rejects(ssh.read(), /reset/);
  assert.equal(gate.flows, 1);
  assert.deepEqual([...gate.denials().byRule], [[0, 1]]);
  await gate.replace([rule("deny", "*", "*")], nodes);
  await assert.rejects(web.read(), /reset/);
  assert.equal(gate.flows, 0);
});

Deno.test("flows are counted by this node's part in them, the open ones until they end", async () => {
  const gate = gateOf(dev, all);
  const [source, relayed] = [memoryStreamPair()[0], memoryStreamPair()[0]];
  gate.hold(gate.admitRequest({ destination: prod, protocol: "tcp", port: 22 }), source);
  const header = { path: [relay, dev, prod], position: 1, protocol: "tcp", port: 22 };
  gate.holdRelayed(header, relayed);
  assert.deepEqual(gate.flowCounts(), {
    open: { source: 1, relay: 1, destination: 0 },
    total: { source: 1, relay: 1, destination: 0 },
  });
  for (const stream of [source, relayed]) {
    stream.reset();
    await stream.closed;
  }
  assert.deepEqual(gate.flowCounts(), {
    open: { source: 0, relay: 0, destination: 0 },
    total: { source: 1, relay: 1, destination: 0 },
  });
});

Deno.test("thousands of flows are cut in turns between other work, by the last rules alone", async () => {
  const gate = gateOf(relay, all);
  const cut: number[] = [];
  for (let port = 1; port <= 5_000; port++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reset = () => {
      cut.push(port);
      resolve();
    };
    gate.holdRelayed({ path: [dev, relay, prod], position: 1, protocol: "tcp", port }, {
      closed: promise,
      reset,
    });
  }
  const first = gate.replace([rule("deny", "*", "*", { ports: "1-4999" }), all], nodes);
  assert.equal(cut.length, 1_000);
  const second = gate.replace([rule("deny", "*", "*", { ports: "4000-4500" }), all], nodes);
  await Promise.all([first, second]);
  assert.equal(cut.length, 1_501);
  assert.equal(gate.flows, 5_000 - 1_501);
});

Deno.test("a flow that was admitted under rules that are gone by the time it is open is cut at once", async () => {
  const gate = gateOf(dev, all);
  const flow = gate.admitRequest({ destination: prod, protocol: "tcp", port: 22 });
  await gate.replace([closed, all], nodes);
  const [near, far] = memoryStreamPair();
  assert.throws(() => gate.hold(flow, near), denied(/rule 0/));
  await assert.rejects(far.read(), /reset/);
});
