import assert from "node:assert/strict";
import fc from "fast-check";
import type { Credentials, NodeId } from "../identity/types.ts";
import { type Chunk, chunkBytes, decodeExchange, encodeExchange } from "./exchange_message.ts";
import { ExchangeMesh, type LinkFaults } from "./exchange_testing.ts";
import type { SignedGrant } from "./grant.ts";
import { comparePositions, positionText } from "./position.ts";
import { testAuthority, writeConfig, type Written } from "./testing.ts";

const authority = await testAuthority();
const [one, two] = [await authority.issue(), await authority.issue()];
const grant1 = authority.grant(1, one.key.id);

const name = (i: number): NodeId => i.toString(16).padStart(32, "0");

function meshOf(count: number, seed = 1): ExchangeMesh {
  const mesh = new ExchangeMesh(seed);
  for (let i = 0; i < count; i++) mesh.add(name(i), authority.store(name(i)));
  return mesh;
}

function line(mesh: ExchangeMesh, count: number): void {
  for (let i = 0; i + 1 < count; i++) mesh.connect(name(i), name(i + 1));
}

function publish(mesh: ExchangeMesh, at: number, written: Written): void {
  assert.equal(mesh.store(name(at)).offer(written.bytes).error, undefined);
  mesh.changed(name(at));
}

/** Rules up to about this many bytes. */
function bigConfig(author: Credentials, grant: SignedGrant, version: number, bytes: number) {
  const rule = {
    action: "deny" as const,
    from: "tag:a",
    to: "tag:b",
    ports: [],
    protocols: [],
    comment: "x".repeat(200),
  };
  return writeConfig(author, grant, version, {
    body: { acls: Array.from({ length: Math.ceil(bytes / 290) }, () => rule) },
  });
}

Deno.test("a new version reaches the end of a line at once, and then nobody speaks", () => {
  const mesh = meshOf(6);
  line(mesh, 6);
  mesh.run(1_000);
  publish(mesh, 0, writeConfig(one, grant1, 1));
  mesh.run(500);
  for (let i = 0; i < 6; i++) assert.equal(positionText(mesh.store(name(i)).position), "1.1");
  const { messages } = mesh;
  mesh.run(30_000);
  assert.equal(mesh.messages, messages);
});

Deno.test("versions that follow each other faster than they can be fetched cost no time", () => {
  const mesh = meshOf(3);
  line(mesh, 3);
  mesh.run(1_000);
  for (let version = 1; version <= 20; version++) {
    publish(mesh, 0, writeConfig(one, grant1, version));
    mesh.run(1);
  }
  mesh.run(200);
  assert.equal(mesh.store(name(2)).position.version, 20);
});

Deno.test("in a full mesh each node fetches a config once", () => {
  const count = 8;
  const mesh = meshOf(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) mesh.connect(name(i), name(j));
  }
  mesh.run(1_000);
  const before = mesh.bytes;
  const written = bigConfig(one, grant1, 1, 200_000);
  publish(mesh, 0, written);
  mesh.run(5_000);
  for (let i = 0; i < count; i++) assert.equal(mesh.store(name(i)).position.version, 1);
  assert.ok(mesh.bytes - before < written.bytes.length * count * 1.2, `${mesh.bytes - before}`);
});

Deno.test("a config of several megabytes comes in pieces and survives the loss of some", () => {
  const mesh = meshOf(2);
  const faults: LinkFaults = { loss: 0.2, repeat: 0.2, latencyMs: [1, 100] };
  mesh.connect(name(0), name(1), faults);
  const written = bigConfig(one, grant1, 1, 2_800_000);
  assert.ok(written.bytes.length > 10 * chunkBytes);
  publish(mesh, 0, written);
  mesh.run(180_000);
  assert.deepEqual(mesh.store(name(1)).state.config?.bytes, written.bytes);
});

Deno.test("a node that comes late is told, and one that brings more is asked", () => {
  const mesh = meshOf(3);
  publish(mesh, 0, writeConfig(one, grant1, 4));
  publish(mesh, 1, writeConfig(one, grant1, 6));
  mesh.connect(name(0), name(1));
  mesh.connect(name(1), name(2));
  mesh.run(1_000);
  for (let i = 0; i < 3; i++) assert.equal(mesh.store(name(i)).position.version, 6);
});

Deno.test("a grant travels without a config, and takes the old scribe its voice", () => {
  const mesh = meshOf(4);
  line(mesh, 4);
  const last = writeConfig(one, grant1, 2);
  publish(mesh, 0, last);
  mesh.run(1_000);
  const base = { epoch: 1, version: 2, hash: last.hash };
  mesh.store(name(3)).offerGrant(authority.grant(2, two.key.id, base).bytes);
  mesh.changed(name(3));
  mesh.run(1_000);
  assert.equal(mesh.store(name(0)).state.grant?.grant.epoch, 2);
  const late = mesh.store(name(0)).offer(writeConfig(one, grant1, 3).bytes);
  assert.equal(late.error?.code, "NETCONFIG_SUPERSEDED");
});

Deno.test("a liar that promises more costs only itself: the honest neighbour is heard", () => {
  const mesh = meshOf(3);
  const liar = name(2);
  mesh.connect(name(0), liar);
  mesh.connect(name(0), name(1));
  const real = writeConfig(one, grant1, 3);
  mesh.store(name(0)).offerGrant(grant1.bytes);
  mesh.run(100);
  // The real config's own hash, and garbage under it; then a version nobody has.
  for (const [hash, version] of [[real.hash, 3], ["ab".repeat(32), 999]] as const) {
    mesh.say(
      liar,
      name(0),
      encodeExchange({
        type: "announce",
        grant: grant1.bytes,
        position: { epoch: 1, version },
        hash,
        length: 1_000,
      }),
    );
    mesh.run(10);
    const garbage: Chunk = { type: "chunk", hash, offset: 0, bytes: new Uint8Array(1_000) };
    mesh.say(liar, name(0), encodeExchange(garbage));
    mesh.run(10);
  }
  publish(mesh, 1, real);
  mesh.run(2_000);
  assert.equal(mesh.store(name(0)).state.config?.hash, real.hash);
  const refused = mesh.news(name(0)).filter((news) => news.type === "refused");
  assert.deepEqual(new Set(refused.map(({ peer }) => peer)), new Set([liar]));
});

Deno.test("a neighbour that promises and stays silent loses its turn", () => {
  const mesh = meshOf(3);
  const real = writeConfig(one, grant1, 3);
  mesh.connect(name(0), name(2));
  mesh.tamper = (from, _to, bytes) =>
    from === name(2) && decodeExchange(bytes)?.type === "chunk" ? new Uint8Array([9]) : bytes;
  publish(mesh, 2, real);
  mesh.run(1_000);
  publish(mesh, 1, real);
  mesh.connect(name(0), name(1));
  mesh.run(20_000);
  assert.equal(mesh.store(name(0)).state.config?.hash, real.hash);
});

Deno.test("two configs with one number are told where they meet, and the next version ends it", () => {
  const mesh = meshOf(4);
  publish(mesh, 0, writeConfig(one, grant1, 3, { note: "a" }));
  publish(mesh, 3, writeConfig(one, grant1, 3, { note: "b" }));
  line(mesh, 4);
  mesh.run(200_000);
  const forked = [0, 1, 2, 3].filter((i) => mesh.store(name(i)).state.fork !== null);
  assert.ok(forked.length >= 2);
  publish(mesh, 1, writeConfig(one, grant1, 4));
  mesh.run(1_000);
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(
      [mesh.store(name(i)).position.version, mesh.store(name(i)).state.fork],
      [4, null],
    );
  }
});

Deno.test("a scribe that goes on from an old disk, and has more versions by now, learns that its numbers were taken", () => {
  const mesh = meshOf(3);
  line(mesh, 2);
  for (const version of [3, 4, 5]) publish(mesh, 0, writeConfig(one, grant1, version));
  mesh.run(1_000);
  // With the image of version 3, and unaware of the others.
  for (const version of [3, 4, 5, 6, 7]) {
    publish(mesh, 2, writeConfig(one, grant1, version, { note: version === 3 ? "" : "again" }));
  }
  mesh.connect(name(1), name(2));
  mesh.run(1_000);
  for (let i = 0; i < 3; i++) assert.equal(mesh.store(name(i)).position.version, 7);
  const { fork } = mesh.store(name(2)).state;
  assert.deepEqual([fork?.what, fork?.position], ["config", { epoch: 1, version: 5 }]);
});

Deno.test("any bytes at all are survived", () => {
  const mesh = meshOf(2);
  mesh.connect(name(0), name(1));
  publish(mesh, 0, writeConfig(one, grant1, 1));
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 3 }),
      (bytes, kind) => {
        mesh.say(name(1), name(0), Uint8Array.of(kind, ...bytes));
        mesh.run(50);
      },
    ),
    { numRuns: 300 },
  );
  assert.equal(mesh.store(name(0)).position.version, 1);
});

Deno.test("every honest node ends with the highest valid config, whatever was lost, repeated, reordered, cut off or forged", async () => {
  const foreign = await authority.ca.forge.foreignCa();
  const last = writeConfig(one, grant1, 6);
  const base = { epoch: 1, version: 6, hash: last.hash };
  const grant2 = authority.grant(2, two.key.id, base);
  const valid: Written[] = [
    ...[1, 2, 3, 4, 5].map((version) => writeConfig(one, grant1, version)),
    last,
    ...[7, 8].map((version) => writeConfig(one, grant1, version)),
    ...[7, 8, 9].map((version) => writeConfig(two, grant2, version)),
  ];
  const forged = [
    writeConfig(two, grant1, 50),
    writeConfig(one, grant2, 50),
    writeConfig(foreign, grant2, 50),
    writeConfig(two, grant1, 50, {
      document: { author: one.key.id },
      certificate: one.certificate,
    }),
  ];
  const good = new Set(valid.map(({ hash }) => hash));
  const step = fc.record({
    at: fc.nat(5),
    what: fc.oneof(
      { weight: 5, arbitrary: fc.nat(valid.length - 1).map((index) => ({ valid: index })) },
      { weight: 1, arbitrary: fc.nat(forged.length - 1).map((index) => ({ forged: index })) },
      { weight: 2, arbitrary: fc.tuple(fc.nat(5), fc.nat(5)).map((cut) => ({ cut })) },
      { weight: 3, arbitrary: fc.tuple(fc.nat(5), fc.nat(5)).map((join) => ({ join })) },
      { weight: 1, arbitrary: fc.constant({ grant: true }) },
    ),
    pauseMs: fc.nat(5_000),
  });
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 2, max: 6 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.array(step, { maxLength: 25 }),
      (seed, count, loss, steps) => {
        const mesh = meshOf(count, seed);
        const faults: LinkFaults = { loss, repeat: 0.2, latencyMs: [1, 800] };
        for (let i = 0; i + 1 < count; i++) mesh.connect(name(i), name(i + 1), faults);
        for (const { at, what, pauseMs } of steps) {
          const store = mesh.store(name(at % count));
          const before = store.position;
          if ("valid" in what) store.offer(valid[what.valid]!.bytes);
          else if ("forged" in what) store.offer(forged[what.forged]!.bytes);
          else if ("grant" in what) store.offerGrant(grant2.bytes);
          else {
            const [a, b] = ("cut" in what ? what.cut : what.join).map((i) => name(i % count));
            if (a === b) continue;
            mesh.disconnect(a!, b!);
            if ("join" in what) mesh.connect(a!, b!, faults);
          }
          assert.ok(comparePositions(store.position, before) >= 0);
          mesh.changed(name(at % count));
          mesh.run(pauseMs);
        }
        mesh.heal();
        for (let i = 0; i + 1 < count; i++) {
          mesh.disconnect(name(i), name(i + 1));
          mesh.connect(name(i), name(i + 1));
        }
        mesh.run(200_000);
        const stores = Array.from({ length: count }, (_, i) => mesh.store(name(i)));
        const hashes = new Set(stores.map(({ state }) => state.config?.hash));
        const grants = new Set(stores.map(({ state }) => state.grant?.hash));
        assert.equal(grants.size, 1);
        for (const hash of hashes) assert.ok(hash === undefined || good.has(hash));
        // Until the new scribe speaks, a node keeps what it had from the old one.
        const granted = stores[0]!.state.grant?.grant.epoch ?? 0;
        if (stores.some(({ position }) => position.epoch === granted)) assert.equal(hashes.size, 1);
      },
    ),
    { numRuns: 150 },
  );
});
