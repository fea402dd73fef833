import assert from "node:assert/strict";
import { GossipError } from "./errors.ts";
import { emptyReport, TestMesh, type TestNode } from "./testing.ts";

async function pair(mesh: TestMesh): Promise<[TestNode, TestNode]> {
  const [a, b] = await mesh.line(2);
  mesh.run(2_000);
  return [a!, b!];
}

Deno.test("two linked nodes hold each other's record and say so once", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  assert.equal(mesh.converged(), true);
  assert.equal(b.engine.get(a.id)?.certificate.fingerprint, a.credentials.certificate.fingerprint);
  assert.equal(b.engine.get(a.id)?.hops, 1);
  assert.equal(b.engine.get(b.id)?.hops, 0);
  assert.deepEqual(b.events.map((event) => event.type), ["added"]);
});

Deno.test("a change crosses five idle links in less than half a second", async () => {
  const mesh = await TestMesh.create();
  const nodes = await mesh.line(6);
  mesh.run(5_000);
  assert.equal(mesh.converged(), true);
  const [first, last] = [nodes[0]!, nodes[5]!];
  mesh.say(first, { services: [{ name: "web", port: 80 }] });
  const known = () => last.engine.get(first.id)?.report.services.length === 1;
  const took = mesh.runUntil(known, 5_000);
  assert.ok(took <= 5 * (50 + 10) + 10, `took ${took} ms`);
  assert.equal(last.engine.get(first.id)?.hops, 5);
});

Deno.test("changes that follow each other quickly go over a link at most every half second", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  const sent: number[] = [];
  mesh.tap = (from, _to, bytes) => {
    // Acknowledgements alone are 12 bytes; a record is at least 118.
    if (from === a.id && bytes.length > 100) sent.push(mesh.now);
    return bytes;
  };
  for (let port = 1; port <= 8; port++) {
    mesh.say(a, { services: [{ name: "web", port }] });
    mesh.run(100);
  }
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.services[0]?.port, 8);
  assert.ok(sent.length <= 3, `${sent.length} messages`);
  sent.forEach((at, i) => assert.ok(i === 0 || at - sent[i - 1]! >= 500));
});

Deno.test("a change is sent to a neighbour once, and not back to the one it came from", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  mesh.run(5_000);
  const records = () => [a, b, c].map((node) => node!.engine.counters().recordsOut);
  const before = records();
  mesh.say(a!, { version: "1.0.0" });
  mesh.run(3_000);
  assert.deepEqual(records().map((count, i) => count - before[i]!), [1, 1, 0]);
});

Deno.test("a refresh costs 118 bytes and a little framing, the content stays where it is", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  const report = b.engine.get(a.id)?.report;
  const { bytesOut } = a.engine.counters();
  const sequence = a.engine.sequence;
  const refreshed = () => b.engine.get(a.id)?.sequence === sequence + 1;
  assert.ok(mesh.runUntil(refreshed, 130_000, 100) < Infinity);
  assert.equal(b.engine.get(a.id)?.report, report);
  // Everything else in that time: two digests or summaries and some acknowledgements.
  assert.ok(a.engine.counters().bytesOut - bytesOut < 118 + 2 + 10 + 150);
});

Deno.test("saying the same again is no news", async () => {
  const mesh = await TestMesh.create();
  const [a] = await pair(mesh);
  const { sequence, version } = a.engine;
  mesh.say(a, {});
  mesh.run(1_000);
  assert.equal(a.engine.sequence, sequence);
  assert.equal(a.engine.version, version);
});

Deno.test("a report that others would refuse is refused here, and the one before stands", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  const report = { ...emptyReport, addresses: [":8443"] };
  assert.throws(
    () => a.engine.updateSelf(report, mesh.now),
    (error) => error instanceof GossipError && error.code === "GOSSIP_REPORT_INVALID",
  );
  mesh.say(a, { version: "1.0.0" });
  mesh.run(1_000);
  assert.equal(b.engine.get(a.id)?.report.version, "1.0.0");
});

Deno.test("the version moves with content, the graph version with links and nodes, neither with refreshes", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  const versions = () => [b.engine.version, b.engine.graphVersion];
  const [version, graph] = versions();
  mesh.say(a, { version: "1.0.0" });
  mesh.run(1_000);
  assert.deepEqual(versions(), [version! + 1, graph]);
  mesh.say(a, { version: "1.0.0", links: [{ peer: b.id, latencyMs: 1, loss: 0 }] });
  mesh.run(1_000);
  assert.deepEqual(versions(), [version! + 2, graph! + 1]);
  const { sequence } = a.engine;
  mesh.run(240_000);
  assert.ok(a.engine.sequence > sequence);
  assert.deepEqual(versions(), [version! + 2, graph! + 1]);
});

Deno.test("a renewed certificate reaches nodes that only know the old one", async () => {
  const mesh = await TestMesh.create();
  const [a, , c] = await mesh.line(3);
  mesh.run(5_000);
  const renewed = await mesh.ca.issue({ key: a!.credentials.key });
  mesh.apply(
    a!,
    a!.engine.replaceCertificate({
      certificate: renewed.certificate,
      sign: (message) => renewed.key.sign(message),
    }, mesh.now),
  );
  mesh.run(2_000);
  assert.equal(c!.engine.get(a!.id)?.certificate.serial, renewed.certificate.serial);
  assert.deepEqual(c!.events.at(-1)?.type, "updated");
});

Deno.test("a certificate of another node is not taken as a renewal", async () => {
  const mesh = await TestMesh.create();
  const [a, b] = await pair(mesh);
  const { certificate, key } = b.credentials;
  assert.throws(
    () => a.engine.replaceCertificate({ certificate, sign: (m) => key.sign(m) }, mesh.now),
    (error) => error instanceof GossipError && error.code === "GOSSIP_CERTIFICATE_MISMATCH",
  );
});

Deno.test("a revoked node's record goes, and does not come back by any way", async () => {
  const mesh = await TestMesh.create();
  const [a, b, c] = await mesh.line(3);
  mesh.connect(a!, c!);
  mesh.run(5_000);
  mesh.apply(b!, b!.engine.revoke([a!.id], mesh.now));
  mesh.run(130_000);
  assert.equal(b!.engine.isRevoked(a!.id), true);
  assert.equal(b!.engine.get(a!.id), undefined);
  assert.equal(c!.engine.get(a!.id)?.sequence, a!.engine.sequence);
  const last = b!.events.at(-1);
  assert.ok(last?.type === "removed" && last.reason === "revoked" && last.record.id === a!.id);
  assert.ok(b!.engine.counters().revoked > 0);
});

Deno.test("nobody revokes itself", async () => {
  const mesh = await TestMesh.create();
  const [a] = await pair(mesh);
  mesh.apply(a, a.engine.revoke([a.id], mesh.now));
  assert.equal(a.engine.isRevoked(a.id), false);
  assert.equal(a.engine.get(a.id)?.id, a.id);
});

Deno.test("an idle engine wants to be woken, but not all the time", async () => {
  const mesh = await TestMesh.create();
  const [a] = await pair(mesh);
  let wakes = 0;
  for (let now = mesh.now; now < mesh.now + 60_000; wakes++) {
    now = Math.max(a.engine.nextWake(), now);
    a.engine.tick(now);
    assert.ok(a.engine.nextWake() > now, "nothing is left to do after a tick");
  }
  assert.ok(wakes < 30, `${wakes} wakes a minute`);
});
