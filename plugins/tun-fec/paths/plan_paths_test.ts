import assert from "node:assert/strict";
import type { WantedLease } from "../labels/label_leases.ts";
import type { MeshLink } from "../mesh/snapshot.ts";
import { meshLink, meshNode, meshPath, testId } from "../mesh/testing.ts";
import { type PathFacts, planPaths } from "./plan_paths.ts";

const [b, r, s] = ["b", "c", "d"].map(testId) as [string, string, string];

function facts(links: readonly MeshLink[], more: Partial<PathFacts> = {}): PathFacts {
  return {
    link: (id) => links.find((link) => link.id === id),
    carries: () => true,
    dataPort: () => 0,
    roamed: () => undefined,
    receiver: 7,
    label: () => undefined,
    doubtful: () => false,
    ...more,
  };
}

const label = (of: Record<string, number>) => ({ path }: WantedLease) => of[path[1]!];

Deno.test("a peer with a QUIC link is sent to straight, at QUIC's port or the one it names", () => {
  const links = [meshLink("b")];
  const plan = (more: Partial<PathFacts>) => planPaths(meshNode("b"), facts(links, more)).paths;
  const path = { via: b, label: 0, weight: 1 };
  assert.deepEqual(plan({}), [{ ...path, endpoint: "192.0.2.2:8443" }]);
  assert.deepEqual(plan({ dataPort: () => 9 }), [{ ...path, endpoint: "192.0.2.2:9" }]);
  assert.deepEqual(plan({ roamed: () => "192.0.2.99:1" }), [{ ...path, endpoint: "192.0.2.99:1" }]);
});

Deno.test("over a WebSocket, and before the peer has said where, packets take the session", () => {
  const path = { endpoint: null, via: b, label: 0, weight: 1 };
  const websocket = facts([meshLink("b", { kind: "websocket" })]);
  assert.deepEqual(planPaths(meshNode("b"), websocket).paths, [path]);
  const silent = facts([meshLink("b")], { dataPort: () => undefined });
  assert.deepEqual(planPaths(meshNode("b"), silent).paths, [path]);
});

Deno.test("two relays are used side by side, by weight, as soon as each has given a label", () => {
  const peer = meshNode("b", { paths: [meshPath("acb", 3), meshPath("adb", 1)] });
  const links = [meshLink("c"), meshLink("d")];
  const leases = peer.paths.map(({ nodes }) => ({ path: nodes, receiver: 7 }));
  assert.deepEqual(planPaths(peer, facts(links, { label: label({ [r]: 5, [s]: 6 }) })), {
    paths: [
      { endpoint: "192.0.2.3:8443", via: r, label: 5, weight: 3 },
      { endpoint: "192.0.2.4:8443", via: s, label: 6, weight: 1 },
    ],
    leases,
  });
  const one = planPaths(peer, facts(links, { label: label({ [s]: 6 }) }));
  assert.deepEqual(one.paths.map(({ via }) => via), [s]);
  assert.deepEqual(one.leases, leases);
});

Deno.test("a path in doubt is left where there is another one, and used where there is none", () => {
  const peer = meshNode("b", { paths: [meshPath("acb", 3), meshPath("adb", 1)] });
  const links = [meshLink("c"), meshLink("d")];
  const vias = (doubted: string) => {
    const doubtful = ({ path }: WantedLease) => doubted.includes(path[1]![0]!);
    const known = facts(links, { label: label({ [r]: 5, [s]: 6 }), doubtful });
    return planPaths(peer, known).paths.map(({ via }) => via[0]).join("");
  };
  assert.deepEqual([vias(""), vias("c"), vias("d"), vias("cd")], ["cd", "d", "c", "cd"]);
});

Deno.test("labels work behind a WebSocket to the first relay", () => {
  const peer = meshNode("b", { paths: [meshPath("acb")] });
  const links = [meshLink("c", { kind: "websocket" })];
  assert.deepEqual(planPaths(peer, facts(links, { label: label({ [r]: 5 }) })).paths, [
    { endpoint: null, via: r, label: 5, weight: 1 },
  ]);
});

Deno.test("through a relay without a data plane packets take a stream, and no label is asked for", () => {
  const peer = meshNode("b", { paths: [meshPath("acb")] });
  assert.deepEqual(planPaths(peer, facts([meshLink("c")], { carries: () => false })), {
    paths: [{ endpoint: null, via: b, label: 0, weight: 1 }],
    leases: [],
  });
});

Deno.test("there is no path to who is out of reach, and no label without a key", () => {
  assert.deepEqual(planPaths(meshNode("b", { paths: [] }), facts([])).paths, []);
  const peer = meshNode("b", { paths: [meshPath("acb")] });
  const { leases } = planPaths(peer, facts([meshLink("c")], { receiver: undefined }));
  assert.deepEqual(leases, []);
});
