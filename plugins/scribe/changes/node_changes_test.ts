import assert from "node:assert/strict";
import { addDnsRecord } from "./add_dns_record.ts";
import { entryOf } from "./node_entry.ts";
import { removeNode } from "./remove_node.ts";
import { revokeNode } from "./revoke_node.ts";
import { setMeshCidr } from "./set_mesh_cidr.ts";
import { setMeshIp } from "./set_mesh_ip.ts";
import { setName } from "./set_name.ts";
import { setPin } from "./set_pin.ts";
import { tagNode } from "./tag_node.ts";
import { after, context, laptop, self, server, start } from "./testing.ts";
import { unrevokeNode } from "./unrevoke_node.ts";
import { untagNode } from "./untag_node.ts";

Deno.test("a name is given, changed and taken away, and the entry goes with the last thing it says", () => {
  const named = after(start, setName, { node: laptop, name: "laptop" });
  assert.equal(entryOf(named, laptop).name, "laptop");
  assert.equal(after(named, setName, { node: laptop, name: "laptop" }), named);
  const renamed = after(named, setName, { node: laptop, name: "lap-2" });
  assert.equal(entryOf(renamed, laptop).name, "lap-2");
  assert.deepEqual(after(renamed, setName, { node: laptop, name: null }), start);
});

Deno.test("a name that another node has is refused, and can be had once it is free", () => {
  const named = after(start, setName, { node: laptop, name: "box" });
  assert.throws(() => setName(named, { node: server, name: "box" }, context), {
    code: "NAME_TAKEN",
    message: new RegExp(laptop),
  });
  const free = after(named, setName, { node: laptop, name: null });
  assert.equal(entryOf(after(free, setName, { node: server, name: "box" }), server).name, "box");
});

Deno.test("a name is one DNS label that is no id", () => {
  const bad = ["", "-a", "a-", "A", "a.b", "a_b", "ä", "a b", "a".repeat(64), laptop, "<b>", "a\n"];
  for (const name of bad) {
    assert.throws(() => setName(start, { node: server, name }, context), { code: "NAME_INVALID" });
  }
  for (const name of ["a", "0", "relay-01", "a".repeat(63)]) {
    assert.equal(entryOf(after(start, setName, { node: server, name }), server).name, name);
  }
});

Deno.test("a node cannot take a name that is a CNAME already", () => {
  const record = { name: "www", type: "CNAME" as const, value: "db.pulse", ttl: 300 };
  const body = after(start, addDnsRecord, record);
  assert.throws(() => setName(body, { node: server, name: "www" }, context), {
    code: "NAME_TAKEN",
  });
});

Deno.test("tags are sorted, given once however often they are asked for, and taken likewise", () => {
  let body = after(start, tagNode, { node: laptop, tag: "prod" });
  body = after(body, tagNode, { node: laptop, tag: "dev/site.1" });
  assert.deepEqual(entryOf(body, laptop).tags, ["dev/site.1", "prod"]);
  assert.equal(after(body, tagNode, { node: laptop, tag: "prod" }), body);
  assert.equal(after(body, untagNode, { node: server, tag: "prod" }), body);
  body = after(body, untagNode, { node: laptop, tag: "prod" });
  assert.deepEqual(entryOf(body, laptop).tags, ["dev/site.1"]);
  assert.deepEqual(after(body, untagNode, { node: laptop, tag: "dev/site.1" }), start);
});

Deno.test("what cannot be a tag is refused", () => {
  for (const tag of ["", "/a", "-a", "A", "a b", "tag:x", "a".repeat(64), "*"]) {
    assert.throws(() => tagNode(start, { node: laptop, tag }, context), { code: "TAG_INVALID" });
    assert.throws(() => untagNode(start, { node: laptop, tag }, context), { code: "TAG_INVALID" });
  }
});

Deno.test("a mesh address lies inside the network's range, away from its ends", () => {
  const body = after(start, setMeshIp, { node: laptop, meshIp: "10.100.3.4" });
  assert.equal(entryOf(body, laptop).meshIp, "10.100.3.4");
  assert.equal(after(body, setMeshIp, { node: laptop, meshIp: "10.100.3.4" }), body);
  assert.deepEqual(after(body, setMeshIp, { node: laptop, meshIp: null }), start);
  const bad = ["10.100.0.0", "10.100.255.255", "10.101.0.1", "10.99.255.255", "fd00::1", "x", ""];
  for (const meshIp of bad) {
    assert.throws(() => setMeshIp(start, { node: laptop, meshIp }, context), {
      code: "MESH_IP_INVALID",
    });
  }
});

Deno.test("a mesh address that any other node has is refused, from its certificate or from the config", () => {
  const body = after(start, setMeshIp, { node: server, meshIp: "10.100.3.4" });
  for (const meshIp of ["10.100.3.4", "10.100.0.5"]) {
    assert.throws(() => setMeshIp(body, { node: laptop, meshIp }, context), {
      code: "MESH_IP_TAKEN",
    });
  }
  // Its own, as a fixed one from now on.
  assert.equal(
    entryOf(after(body, setMeshIp, { node: laptop, meshIp: "10.100.0.1" }), laptop).meshIp,
    "10.100.0.1",
  );
});

Deno.test("a pin leads through another node and never in a circle", () => {
  const body = after(start, setPin, { node: laptop, via: server });
  assert.equal(entryOf(body, laptop).pinnedVia, server);
  assert.throws(() => setPin(start, { node: laptop, via: laptop }, context), {
    code: "PIN_INVALID",
  });
  assert.throws(() => setPin(body, { node: server, via: laptop }, context), {
    code: "PIN_INVALID",
  });
  const chain = after(body, setPin, { node: server, via: self });
  assert.throws(() => setPin(chain, { node: self, via: laptop }, context), {
    code: "PIN_INVALID",
  });
  assert.deepEqual(after(body, setPin, { node: laptop, via: null }), start);
});

Deno.test("a node is revoked once, with the time and the reason, and can be let in again", () => {
  const body = after(start, revokeNode, { node: laptop, reason: "stolen" });
  assert.deepEqual(body.revoked, [{ node: laptop, at: context.now, reason: "stolen" }]);
  assert.equal(after(body, revokeNode, { node: laptop, reason: "again" }), body);
  assert.deepEqual(after(body, unrevokeNode, { node: laptop }), start);
  assert.throws(() => unrevokeNode(start, { node: laptop }, context), {
    code: "REVOCATION_UNKNOWN",
  });
});

Deno.test("the scribe does not revoke itself", () => {
  assert.throws(() => revokeNode(start, { node: self, reason: "" }, context), {
    code: "REVOCATION_INVALID",
  });
});

Deno.test("a removed node is revoked and its name is free", () => {
  let body = after(start, setName, { node: laptop, name: "box" });
  body = after(body, tagNode, { node: laptop, tag: "ci" });
  body = after(body, removeNode, { node: laptop, reason: "gone" });
  assert.deepEqual(body.nodes, {});
  assert.deepEqual(body.revoked.map(({ node }) => node), [laptop]);
  assert.equal(after(body, removeNode, { node: laptop, reason: "gone" }), body);
  assert.equal(entryOf(after(body, setName, { node: server, name: "box" }), server).name, "box");
});

Deno.test("another mesh CIDR takes back the addresses that are not in it, and what is empty without", () => {
  let body = after(start, setMeshIp, { node: laptop, meshIp: "10.100.7.7" });
  body = after(body, setMeshIp, { node: server, meshIp: "10.100.200.1" });
  body = after(body, setName, { node: self, name: "box" });
  const half = setMeshCidr(body, { meshCidr: "10.100.5.5/17" }, context);
  assert.equal(half.body.meshCidr, "10.100.0.0/17");
  assert.deepEqual(Object.keys(half.body.nodes).sort(), [laptop, self]);
  assert.match(half.note, /10\.100\.0\.0\/17, not in 10\.100\.0\.0\/16, 1 given by hand/);
  const moved = after(body, setMeshCidr, { meshCidr: "10.7.0.0/16" });
  assert.deepEqual(Object.keys(moved.nodes), [self]);
  assert.equal(after(moved, setMeshCidr, { meshCidr: "10.7.1.2/16" }), moved);
});

Deno.test("a mesh CIDR has an address for each node, and is one", () => {
  const nodes = Array.from({ length: 3 }, (_, n) => ({ id: `${n}`.repeat(32), meshAddresses: [] }));
  const set = (meshCidr: string) => () => setMeshCidr(start, { meshCidr }, { ...context, nodes });
  assert.throws(set("10.7.0.0/30"), { code: "MESH_CIDR_TOO_SMALL" });
  assert.equal(set("10.7.0.0/29")().body.meshCidr, "10.7.0.0/29");
  for (const bad of ["", "10.7.0.0", "10.7.0.0/31", "10.0.0.0/7", "fd00::/64", "x/16"]) {
    assert.throws(set(bad), { code: "MESH_CIDR_INVALID" });
  }
});
