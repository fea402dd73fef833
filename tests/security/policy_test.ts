import assert from "node:assert/strict";
import { renewCertificate, trustOf } from "../../core/identity/mod.ts";
import type { Node } from "../../core/node/node.ts";
import { startTestNode, until } from "../../core/node/testing.ts";
import { rule } from "../../core/policy/testing.ts";
import { type MeshStream, StreamError, type StreamRequest } from "../../core/streams/mod.ts";
import { createCaScene, joinAt } from "./fixtures/ca_scene.ts";
import { assertEchoes } from "./fixtures/echo.ts";
import { Member } from "./fixtures/member.ts";
import { devNotToProd, startPolicyRow } from "./fixtures/policy_row.ts";
import { openSocksDoor } from "./fixtures/socks_door.ts";
import { only, transports } from "./fixtures/transports.ts";
import { transfer } from "./fixtures/traffic.ts";
import { within } from "./fixtures/within.ts";

/** The stream is refused by this node, with the rule that did it. */
async function assertDenied(
  opening: Promise<MeshStream>,
  by: Node,
  rule: RegExp = /rule 0: deny tag:dev -> tag:prod$|rule 0: deny tag:dev -> tag:prod \(said relay/,
): Promise<void> {
  await assert.rejects(within("the refusal", opening), (error) => {
    assert.ok(error instanceof StreamError, String(error));
    assert.equal(error.status, "STREAM_DENIED");
    assert.equal(error.fields.hop, by.id);
    assert.match(error.message, rule);
    return true;
  });
}

const echoAt = (node: Node): StreamRequest => ({
  destination: node.id,
  protocol: "echo",
  port: 0,
});

for (const transport of transports) {
  Deno.test(`over ${transport}, what the rules deny is refused by whichever hop knows them, however many others lie`, async () => {
    await using row = await startPolicyRow(transport);
    const { dev, relay, prod, service, served, nodes } = row;
    const tcp = {
      destination: prod.id,
      protocol: "tcp",
      port: service.port,
      target: `localhost:${service.port}`,
    };
    // So that the rest means something.
    await assertEchoes(await dev.openStream(echoAt(prod)));
    await assertEchoes(await dev.openStream(tcp));
    const [before, dialled] = [served.length, service.accepted()];
    // Whoever has no rules is a node that leaves its check out.
    for (const honest of [dev, relay, prod]) {
      honest.setPolicy(devNotToProd, nodes);
      await assertDenied(dev.openStream(echoAt(prod)), honest);
      await assertDenied(dev.openStream(tcp), honest);
      assert.equal(honest.denials().byRule.get(0), 2);
      await assertEchoes(await dev.openStream(echoAt(relay)));
      await assertEchoes(await prod.openStream(echoAt(dev)));
      honest.setPolicy([], nodes);
    }
    // To oneself as well.
    dev.setPolicy([rule("deny", "laptop", "laptop")], nodes);
    await assertDenied(dev.openStream(echoAt(dev)), dev, /rule 0: deny laptop -> laptop$/);
    assert.deepEqual([served.length, service.accepted()], [before, dialled]);
  });

  Deno.test(`over ${transport}, a relay that may be reached is no way round a rule`, async () => {
    await using row = await startPolicyRow(transport);
    const { ca, dev, relay, prod, service, served, nodes } = row;
    for (const honest of [relay, prod]) honest.setPolicy(devNotToProd, nodes);
    // As an exit to the node's mesh address, in each family.
    for (const address of prod.credentials.certificate.meshAddresses) {
      const target = address.includes(":") ? `[${address}]:22` : `${address}:22`;
      const request = { destination: relay.id, protocol: "tcp", port: 22, target };
      await assertDenied(dev.openStream(request), relay);
    }
    // For somebody who has no rules and asks for what it likes.
    await using rogue = await Member.create(await ca.issue(), transport);
    const tagged = { id: rogue.id, name: "rogue", tags: ["dev"] };
    for (const honest of [relay, prod]) honest.setPolicy(devNotToProd, [...nodes, tagged]);
    const session = await rogue.dial(relay.listeners.address, relay.id);
    const way = [relay.id, prod.id];
    await assertDenied(rogue.openStream(session, way, { protocol: "echo" }), relay);
    // Past a relay that lies as well.
    relay.setPolicy([], nodes);
    await assertDenied(rogue.openStream(session, way, { protocol: "echo" }), prod);
    // With a port that is allowed, and another one inside.
    const ports = [rule("allow", "tag:dev", "tag:prod", { ports: "80" })];
    for (const honest of [relay, prod]) honest.setPolicy(ports, [...nodes, tagged]);
    await assert.rejects(
      rogue.openStream(session, way, {
        protocol: "tcp",
        port: 80,
        target: `localhost:${service.port}`,
      }),
      (error) => error instanceof StreamError && error.status === "STREAM_TARGET_INVALID",
    );
    await assertDenied(
      rogue.openStream(session, way, {
        protocol: "tcp",
        port: service.port,
        target: `localhost:${service.port}`,
      }),
      relay,
      /no rule allows it/,
    );
    assert.deepEqual([served.length, service.accepted()], [0, 0]);
  });

  Deno.test(`over ${transport}, rules that turn against a running stream cut it within a second, wherever they arrive`, async () => {
    await using row = await startPolicyRow(transport);
    const { dev, relay, prod, nodes } = row;
    for (const honest of [dev, relay, prod]) {
      const stream = await dev.openStream(echoAt(prod));
      const spared = await dev.openStream(echoAt(relay));
      let carried = 0;
      const { promise: running, resolve } = Promise.withResolvers<void>();
      const cut = Promise.allSettled([
        (async () => {
          for (;;) await stream.write(new Uint8Array(16_384));
        })(),
        (async () => {
          for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
            carried += chunk.length;
            if (carried > 1_000_000) resolve();
          }
        })(),
      ]);
      await within("traffic", running);
      honest.setPolicy(devNotToProd, nodes);
      await within("the cut", cut, 1_000);
      await until("the flow to be gone", () => honest.denials().byRule.get(0) === 1);
      await assertEchoes(spared);
      await assertDenied(dev.openStream(echoAt(prod)), honest);
      honest.setPolicy([], nodes);
    }
  });

  Deno.test(`over ${transport}, rules that deny everything leave joins and renewals alone`, async () => {
    await using scene = await createCaScene(transport);
    const { ca, relay, desk } = scene;
    const credentials = await scene.issue();
    await using member = await startTestNode(credentials, {
      ...only(transport),
      dialLearned: false,
      peers: [relay.listeners.address],
    });
    const { node } = member;
    await until("a path through the relay", () => "paths" in node.paths(ca.id));
    for (const each of [node, relay, ca]) each.setPolicy([rule("deny", "*", "*")], []);
    await assertDenied(node.openStream(echoAt(ca)), node, /rule 0: deny \* -> \*$/);
    const stream = await node.openStream({ destination: ca.id, protocol: "ca.renew", port: 0 });
    const renewed = await renewCertificate(stream, {
      key: credentials.key,
      trust: trustOf(credentials),
      network: credentials.certificate.network,
      now: Date.now(),
    });
    stream.reset();
    assert.match(renewed.certificatePem, /BEGIN CERTIFICATE/);
    const joined = await joinAt(scene.doors.relay, desk.token());
    assert.match(joined.certificatePem, /BEGIN CERTIFICATE/);
  });
}

Deno.test("a SOCKS client hears that the rules do not allow it", async () => {
  await using row = await startPolicyRow("quic");
  const { dev, prod, service, nodes } = row;
  await using door = await openSocksDoor(({ node: _, ...request }, options) =>
    dev.openStream({ destination: prod.id, ...request }, options)
  );
  await transfer(door.address, prod.id, service.port, 10_000);
  prod.setPolicy(devNotToProd, nodes);
  await assert.rejects(transfer(door.address, prod.id, service.port, 10_000), /SOCKS answered 2$/);
});
