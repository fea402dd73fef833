import assert from "node:assert/strict";
import { hash } from "node:crypto";
import fc from "fast-check";
import { parseIpv4 } from "./ip_text.ts";
import { deriveMeshIpv4, meshIpv6, nextFreeIpv4, parseMeshCidr } from "./mesh_address.ts";

Deno.test("derived addresses are those of the Go program", () => {
  const vectors: [string, string, string][] = [
    ["4353db8f32bad580", "10.100.0.0/16", "10.100.255.212"],
    ["20c6d3c9238f80c2", "10.100.0.0/16", "10.100.50.254"],
    ["f752d605d4522bfb", "10.100.0.0/16", "10.100.227.188"],
    ["", "10.100.0.0/16", "10.100.0.1"],
    ["ab", "10.100.0.0/16", "10.100.0.1"],
    ["4353db8f32bad580", "10.0.0.0/24", "10.0.0.88"],
  ];
  for (const [id, cidr, address] of vectors) assert.equal(deriveMeshIpv4(id, cidr), address);
});

Deno.test("a derived address is never the network or the broadcast address", () => {
  fc.assert(fc.property(fc.uuid(), fc.integer({ min: 8, max: 30 }), (uuid, prefix) => {
    const address = parseIpv4(deriveMeshIpv4(uuid.replaceAll("-", ""), `10.100.0.0/${prefix}`))!;
    const value = new DataView(address.buffer).getUint32(0);
    const host = value % 2 ** (32 - prefix);
    assert.ok(host > 0 && host < 2 ** (32 - prefix) - 1);
  }));
});

Deno.test("fifty nodes in a /24 collide at most a dozen times", () => {
  for (let round = 0; round < 20; round++) {
    const addresses = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const id = hash("sha256", `${round}/${i}`, "hex").slice(0, 32);
      addresses.add(deriveMeshIpv4(id, "10.0.0.0/24"));
    }
    assert.ok(addresses.size >= 38, `${addresses.size} of 50`);
  }
});

Deno.test("a mesh CIDR without room for nodes or not a CIDR is refused with a reason", () => {
  for (const cidr of ["10.0.0.0/31", "10.0.0.1/32"]) {
    assert.throws(() => parseMeshCidr(cidr), { code: "MESH_CIDR_INVALID", message: /no room/ });
  }
  const bad = [
    "",
    "10.0.0.0",
    "10.0.0/24",
    "10.0.0.0/33",
    "10.0.0.0/7",
    "fd00::/64",
    "10.0.0.0/+8",
  ];
  for (const cidr of [...bad, "10.0.0.0/8/8", "300.0.0.0/8", "10.0.0.0/"]) {
    assert.throws(() => deriveMeshIpv4("a".repeat(32), cidr), { code: "MESH_CIDR_INVALID" }, cidr);
  }
  assert.deepEqual(parseMeshCidr("10.100.3.4/16"), parseMeshCidr("10.100.0.0/16"));
});

Deno.test("a collision moves to the next free address, around the end, until none is left", () => {
  const cidr = "10.0.0.0/29";
  const taken = new Set<string>();
  const given: string[] = [];
  for (let i = 0; i < 6; i++) {
    const address = nextFreeIpv4("10.0.0.5", cidr, (candidate) => taken.has(candidate));
    taken.add(address);
    given.push(address);
  }
  const hosts = [5, 6, 1, 2, 3, 4];
  assert.deepEqual(given, hosts.map((host) => `10.0.0.${host}`));
  assert.throws(() => nextFreeIpv4("10.0.0.5", cidr, (a) => taken.has(a)), {
    code: "MESH_ADDRESSES_EXHAUSTED",
  });
  assert.equal(nextFreeIpv4("192.168.0.1", cidr, () => false), "10.0.0.1");
});

Deno.test("IPv6 addresses are unique local, one /48 for each network, the id in the last 64 bits", () => {
  const id = "0123456789abcdef0123456789abcdef";
  const address = meshIpv6("pulse", id);
  assert.match(address, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}:0:123:4567:89ab:cdef$/);
  assert.notEqual(meshIpv6("other", id).slice(0, 12), address.slice(0, 12));
});
