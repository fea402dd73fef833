import assert from "node:assert/strict";
import { meshNode, meshSnapshot } from "../mesh/testing.ts";
import { wantedState } from "./wanted_state.ts";

const ipv6 = "fd12:3456:789a::1:2";

Deno.test("the interface has the node's addresses and the ranges of the mesh behind it", () => {
  const mesh = meshSnapshot({ addresses: ["10.100.3.4", ipv6] });
  assert.deepEqual(wantedState(mesh), {
    addresses: [
      { address: "10.100.3.4", prefixLength: 32 },
      { address: ipv6, prefixLength: 128 },
    ],
    routes: ["10.100.0.0/16", "fd12:3456:789a::/48"],
  });
});

Deno.test("overrides outside the mesh's range get routes of their own, and the range stays", () => {
  const mesh = meshSnapshot({
    addresses: ["172.20.0.9", ipv6],
    nodes: [
      meshNode("b", { addresses: ["10.100.0.2"] }),
      meshNode("c", { addresses: ["192.0.2.7", "fd12:3456:789a::7"] }),
    ],
  });
  assert.deepEqual(wantedState(mesh), {
    addresses: [
      { address: "172.20.0.9", prefixLength: 32 },
      { address: ipv6, prefixLength: 128 },
    ],
    routes: ["10.100.0.0/16", "192.0.2.7/32", "fd12:3456:789a::/48"],
  });
});

Deno.test("another mesh CIDR is another route", () => {
  const mesh = meshSnapshot({ meshCidr: "10.9.128.0/20", addresses: ["10.9.130.1"] });
  assert.deepEqual(wantedState(mesh), {
    addresses: [{ address: "10.9.130.1", prefixLength: 32 }],
    routes: ["10.9.128.0/20"],
  });
});
