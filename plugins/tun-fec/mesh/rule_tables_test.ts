import assert from "node:assert/strict";
import { ruleTables } from "./rule_tables.ts";
import type { MeshRules } from "./snapshot.ts";

const given: MeshRules = {
  rules: [
    { allow: true, protocols: 1, ports: [22, 22], to: "node" },
    { allow: true, protocols: 7, ports: [], to: { cidr: "192.168.0.0/16" } },
    { allow: false, protocols: 2, ports: [], to: "all" },
  ],
  otherwise: false,
};
const ssh = { allow: true, protocols: 1, ports: [22, 22] };
const noUdp = { allow: false, protocols: 2, ports: [] };

Deno.test("where nothing leaves the mesh, rules for what lies behind a node are left out", () => {
  assert.deepEqual(ruleTables(given, false), { rules: [ssh, noUdp], otherwise: false });
});

Deno.test("what leaves the mesh is decided before any rule for the node itself is asked", () => {
  assert.deepEqual(ruleTables(given, true), {
    rules: [
      { allow: true, protocols: 7, ports: [], behind: "192.168.0.0/16" },
      { ...noUdp, behind: "::/0" },
      { allow: false, protocols: 7, ports: [], behind: "::/0" },
      ssh,
      noUdp,
    ],
    otherwise: false,
  });
});
