import assert from "node:assert/strict";
import { emptyBody } from "../../core/netconfig/empty_body.ts";
import { rule } from "../../core/policy/testing.ts";
import { explain } from "./policy_use.ts";
import { laptop, server } from "./testing.ts";

const nodes = [
  { id: laptop, meshAddresses: ["10.100.0.1", "fd99::1"] },
  { id: server, meshAddresses: ["10.100.0.2", "fd99::2"] },
];

Deno.test("an address of the config stands in the place of the certificate's IPv4", () => {
  const entry = { name: null, tags: [], meshIp: "10.100.7.7", pinnedVia: null };
  const body = {
    ...emptyBody,
    acls: [rule("deny", "*", laptop), rule("allow", "*", "*")],
    nodes: { [laptop]: entry },
  };
  const allowed = (address: string) =>
    explain(body, nodes, { from: server, to: server, port: 22, protocol: "tcp", address }).allowed;
  // A flow to another node's address is one to that node, whoever it is led through.
  assert.equal(allowed("10.100.7.7"), false);
  assert.equal(allowed("fd99::1"), false);
  assert.equal(allowed("10.100.0.1"), true);
});
