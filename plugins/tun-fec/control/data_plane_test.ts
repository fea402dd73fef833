import assert from "node:assert/strict";
import { eventually } from "../../../tests/lab/mod.ts";
import { testId } from "../mesh/testing.ts";
import { FakeMesh } from "./testing.ts";

const soon = (what: string, check: () => unknown) => eventually(check, { what, intervalMs: 10 });

Deno.test("two neighbours get keys that fit, and a path to each other's data port", async () => {
  using mesh = new FakeMesh("ab", ["ab"]);
  const [a, b] = [mesh.start("a"), mesh.start("b", { port: 4_500 })];
  await soon("keys", () => a.loop.sealFor("b") && b.loop.sealFor("a"));
  const sealed = a.loop.sealFor("b")!;
  assert.deepEqual(b.loop.receive.get(sealed.receiver), sealed);
  assert.deepEqual(a.loop.peer("b"), {
    id: testId("b"),
    index: 1,
    addresses: ["10.100.0.2/32"],
    behind: [],
    inbound: { rules: [], otherwise: true },
    outbound: { rules: [], otherwise: true },
    paths: [{ endpoint: "192.0.2.2:4500", via: testId("b"), label: 0, weight: 1 }],
    fec: false,
  });
  assert.deepEqual(b.loop.peer("a")!.paths[0]!.endpoint, "192.0.2.1:8443");
  await soon("the carrier", () => a.carriers);
  assert.deepEqual(a.carriers, { [testId("b")]: "fast" });
  assert.deepEqual([a.plane.sealing, a.plane.peerOf(1)], [1, testId("b")]);
});

Deno.test("through a relay segments carry its label, and arrive under the receiver's own name", async () => {
  using mesh = new FakeMesh("abc", ["ac", "bc"]);
  const [a, b, c] = [mesh.start("a"), mesh.start("b"), mesh.start("c")];
  const path = await soon(
    "a label",
    () => a.loop.peer("b")?.paths.find(({ label }) => label > 0),
  ) as {
    label: number;
  };
  assert.deepEqual(path, {
    endpoint: "192.0.2.3:8443",
    via: testId("c"),
    label: path.label,
    weight: 1,
  });
  const entry = await soon(
    "the relay's entry",
    () => c.loop.tables?.labels.find(({ label }) => label === path.label),
  ) as {
    endpoint: string;
    next: number;
  };
  assert.equal(entry.endpoint, "192.0.2.2:8443");
  assert.equal(entry.next, a.loop.sealFor("b")!.receiver);
  assert.ok(b.loop.receive.has(entry.next));
});

Deno.test("a new key is sealed with only when the relay knows its name", async () => {
  using mesh = new FakeMesh("abc", ["ac", "bc"]);
  const keyTimes = { rekeyMs: 500 };
  const [a, c] = [mesh.start("a", { keyTimes }), mesh.start("c", { keyTimes })];
  mesh.start("b", { keyTimes });
  await soon("a label", () => a.loop.peer("b")?.paths.some(({ label }) => label > 0));
  const first = a.loop.sealFor("b")!;
  await soon("another key", () => a.loop.sealFor("b")!.epoch > first.epoch);
  const next = a.loop.sealFor("b")!;
  const [path] = a.loop.peer("b")!.paths;
  const entry = c.loop.tables!.labels.find(({ label }) => label === path!.label);
  assert.equal(entry?.next, next.receiver);
  const at = a.loop.commands.findIndex((command) => command.do === "seal" && command.key === next);
  assert.equal(a.loop.commands[at - 1]?.do, "tables", "tables and key are told in one go");
});

Deno.test("when a relay dies its path is left for the other one within three seconds", async () => {
  using mesh = new FakeMesh("abcd", ["ac", "bc", "ad", "bd"]);
  const [a] = ["a", "b", "c", "d"].map((letter) => mesh.start(letter));
  const vias = () =>
    a!.loop.peer("b")?.paths.filter(({ label }) => label > 0).map(({ via }) => via[0]).join("");
  await soon("two labels", () => vias() === "cd");
  const killed = performance.now();
  mesh.kill("c");
  await soon("one path", () => vias() === "d");
  assert.ok(performance.now() - killed < 3_000);
  assert.ok(a!.loop.sealFor("b") !== undefined, "the key goes on");
});

Deno.test("rules at the relay end a path through it, and packets take a stream instead", async () => {
  using mesh = new FakeMesh("abc", ["ac", "bc"]);
  const [a, , c] = ["a", "b", "c"].map((letter) => mesh.start(letter));
  await soon("a label", () => a!.loop.peer("b")?.paths.some(({ label }) => label > 0));
  mesh.denied = "ab";
  mesh.change(mesh.links);
  await soon("no label", () => c!.loop.tables?.labels.length === 0);
  await soon("the stream", () => a!.loop.peer("b")?.paths[0]?.label === 0);
  const stream = { endpoint: null, via: testId("b"), label: 0, weight: 1 };
  assert.deepEqual(a!.loop.peer("b")!.paths, [stream]);
});

Deno.test("a node that is gone is not sealed for any more, and its number is its own for ever", async () => {
  using mesh = new FakeMesh("ab", ["ab"]);
  const [a, b] = [mesh.start("a"), mesh.start("b")];
  await soon("keys", () => a.loop.sealFor("b"));
  mesh.change([], { nodes: [] });
  await soon("silence", () => a.loop.seal.size === 0 && a.loop.tables?.peers.length === 0);
  assert.equal(a.loop.receive.size, 0);
  mesh.change(["ab"]);
  await soon("keys again", () => a.loop.sealFor("b") && b.loop.sealFor("a"));
  assert.equal(a.loop.peer("b")!.index, 1);
});

Deno.test("a peer that restarts gets new keys without anybody waiting for the old ones to run out", async () => {
  using mesh = new FakeMesh("ab", ["ab"]);
  const a = mesh.start("a");
  mesh.start("b");
  await soon("keys", () => a.loop.sealFor("b"));
  const old = a.loop.sealFor("b");
  mesh.kill("b");
  const again = mesh.start("b");
  await soon("new keys", () => a.loop.sealFor("b") !== old && again.loop.sealFor("a"));
  const sealed = a.loop.sealFor("b")!;
  assert.deepEqual(again.loop.receive.get(sealed.receiver), sealed);
});

Deno.test("where segments really come from is where they are sent to, but not when it is a relay", async () => {
  using mesh = new FakeMesh("abc", ["ab", "ac"]);
  const [a] = ["a", "b", "c"].map((letter) => mesh.start(letter));
  await soon("keys", () => a!.loop.sealFor("b") && a!.loop.sealFor("c"));
  const { index } = a!.loop.peer("b")!;
  const endpoint = () => a!.loop.peer("b")?.paths[0]?.endpoint;
  a!.plane.heard({ say: "roamed", peer: index, endpoint: "192.0.2.3:8443" });
  a!.plane.heard({ say: "roamed", peer: index, endpoint: "198.51.100.2:99" });
  await soon("the new place", () => endpoint() === "198.51.100.2:99");
  a!.plane.heard({ say: "roamed", peer: index, endpoint: "192.0.2.3:8443" });
  mesh.change(["ab"]);
  await soon("tables", () => a!.loop.peer("c")?.paths.length === 0);
  assert.equal(endpoint(), "198.51.100.2:99");
});
