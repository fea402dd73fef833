import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { StreamError } from "../streams/mod.ts";
import { startTestNode, until } from "./testing.ts";

async function echoThrough(
  open: () => Promise<import("../streams/mod.ts").MeshStream>,
  bytes: number,
): Promise<void> {
  const stream = await open();
  const sent = crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536)));
  const writing = (async () => {
    for (let at = 0; at < bytes; at += sent.length) {
      await stream.write(sent.subarray(0, bytes - at));
    }
    await stream.closeWrite();
  })();
  let at = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    for (let n = 0; n < chunk.length; n += 997) {
      assert.equal(chunk[n], sent[(at + n) % sent.length]);
    }
    at += chunk.length;
  }
  await writing;
  assert.equal(at, bytes);
}

for (const transport of ["quic", "websocket"] as const) {
  Deno.test(`three nodes in a row over ${transport} find each other, and the ends reach each other through the middle`, async () => {
    const ca = await createTestCa();
    const only = { quic: transport === "quic", websocket: transport === "websocket" };
    await using middle = await startTestNode(await ca.issue(), only);
    const peers = [middle.node.listeners.address];
    await using left = await startTestNode(await ca.issue(), { ...only, peers });
    await using right = await startTestNode(await ca.issue(), { ...only, peers });
    const destination = right.node.id;
    const path = await until("a path from left to right", () => {
      const found = left.node.paths(destination);
      return "paths" in found && found.paths[0];
    });
    assert.deepEqual(path.nodes, [left.node.id, middle.node.id, destination]);
    assert.equal(left.node.link(middle.node.id)?.kind, transport);
    await echoThrough(
      () => left.node.openStream({ destination, protocol: "echo", port: 0 }),
      3_000_000,
    );
    await echoThrough(
      () => left.node.openStream({ destination: middle.node.id, protocol: "echo", port: 0 }),
      3_000_000,
    );
    await echoThrough(
      () => left.node.openStream({ destination: left.node.id, protocol: "echo", port: 0 }),
      1_000,
    );
  });
}

Deno.test("what a node offers is known to its neighbours", async () => {
  const ca = await createTestCa();
  const services = [{ name: "http", port: 80 }, { name: "ssh", port: 22 }];
  await using server = await startTestNode(await ca.issue(), { services });
  const peers = [server.node.listeners.address];
  await using client = await startTestNode(await ca.issue(), { peers });
  const told = await until("the server's services", () => {
    const record = [...client.node.records()].find(({ id }) => id === server.node.id);
    // Its very first record is made before it knows of anything.
    return record?.report.services.length ? record.report.services : undefined;
  });
  assert.deepEqual(told, services);
});

Deno.test("when the only relay goes, a stream fails within seconds and says there is no way", async () => {
  const ca = await createTestCa();
  const middle = await startTestNode(await ca.issue());
  const peers = [middle.node.listeners.address];
  await using left = await startTestNode(await ca.issue(), { peers });
  await using right = await startTestNode(await ca.issue(), { peers });
  const request = { destination: right.node.id, protocol: "echo", port: 0 };
  await until("a path", () => "paths" in left.node.paths(right.node.id));
  const stream = await left.node.openStream(request);
  await middle[Symbol.asyncDispose]();
  await assert.rejects((async () => {
    while (await stream.read() !== null);
  })());
  await until("the link to be gone", () => left.node.linkedPeers().length === 0);
  await assert.rejects(
    left.node.openStream(request),
    (error) => error instanceof StreamError && error.status === "STREAM_NO_LINK",
  );
});

Deno.test("crossed dials settle on one session that both ends prefer", async () => {
  const ca = await createTestCa();
  const [one, two] = [await ca.issue(), await ca.issue()];
  await using a = await startTestNode(one);
  await using b = await startTestNode(two, { peers: [a.node.listeners.address] });
  await until("the first link", () => a.node.link(b.node.id));
  await using c = await startTestNode(await ca.issue(), {
    peers: [a.node.listeners.address, b.node.listeners.address],
  });
  await until("both links", () => c.node.linkedPeers().length === 2);
  const request = { destination: a.node.id, protocol: "echo", port: 0 };
  await echoThrough(() => c.node.openStream(request), 100_000);
});

Deno.test("a node whose machine gets another address tells others, and never its address inside the mesh", async () => {
  const ca = await createTestCa();
  const credentials = await ca.issue();
  let interfaces = ["192.0.2.1"];
  await using a = await startTestNode(credentials, {
    listen: { host: "0.0.0.0", port: 0 },
    advertise: "auto",
    interfaces: () => [...credentials.certificate.meshAddresses, ...interfaces],
  });
  const { port } = a.node.listeners.address;
  const peers = [{ host: "127.0.0.1", port }];
  await using b = await startTestNode(await ca.issue(), { peers, dialLearned: false });
  const known = () => b.node.record(a.node.id)?.report.addresses ?? [];
  await until("the address", () => known().includes(`192.0.2.1:${port}`));
  assert.ok(known().every((address) => /^(192\.0\.2\.1|127\.0\.0\.1):/.test(address)));
  interfaces = ["192.0.2.2"];
  await until("the new one", () => known().includes(`192.0.2.2:${port}`));
  assert.ok(!known().includes(`192.0.2.1:${port}`));
});

Deno.test("a revoked peer loses its session and gets no other", async () => {
  const ca = await createTestCa();
  await using a = await startTestNode(await ca.issue());
  await using b = await startTestNode(await ca.issue(), { peers: [a.node.listeners.address] });
  await until("the link", () => a.node.link(b.node.id));
  await a.node.revoke([b.node.id]);
  await until("the end of the link", () => b.node.linkedPeers().length === 0);
  await until("a refusal", () => b.lines.some((line) => /dial failed.*revoked/.test(line)));
  assert.deepEqual(a.node.linkedPeers(), []);
});

Deno.test("a renewed certificate is used without dropping a session", async () => {
  const ca = await createTestCa();
  const first = await ca.issue();
  await using a = await startTestNode(first);
  await using b = await startTestNode(await ca.issue(), { peers: [a.node.listeners.address] });
  await until("the link", () => a.node.link(b.node.id));
  const before = a.node.link(b.node.id)!.session;
  const renewed = await ca.issue({ key: first.key });
  await a.node.renew(renewed);
  await until(
    "the news to arrive",
    () => b.node.record(a.node.id)?.certificate.serial === renewed.certificate.serial,
  );
  assert.equal(a.node.link(b.node.id)?.session, before);
  await using c = await startTestNode(await ca.issue(), { peers: [a.node.listeners.address] });
  const link = await until("a new link", () => c.node.link(a.node.id));
  assert.equal(link.session.peer.serial, renewed.certificate.serial);
});

Deno.test("a node that has met nobody yet still remembers whom it knew, and later whom it knows", async () => {
  const ca = await createTestCa();
  await using hub = await startTestNode(await ca.issue(), { advertise: "auto" });
  const gone = { id: "f".repeat(32), addresses: ["127.0.0.1:9"] };
  await using alone = await startTestNode(await ca.issue(), { remembered: [gone] });
  assert.deepEqual(alone.node.remembered(), [gone]);
  await using member = await startTestNode(await ca.issue(), {
    remembered: [gone],
    peers: [hub.node.listeners.address],
  });
  await until("the hub to be known", () => member.node.remembered()[0]?.id === hub.node.id);
  assert.deepEqual(member.node.remembered(), [
    { id: hub.node.id, addresses: hub.node.addresses },
  ]);
});
