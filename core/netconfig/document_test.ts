import assert from "node:assert/strict";
import { encodeDocument, parseBody, parseDocument } from "./document.ts";
import { emptyBody } from "./empty_body.ts";
import { NetConfigError } from "./errors.ts";
import { configLimits } from "./limits.ts";
import type { ConfigBody, ConfigDocument, NodeEntry } from "./types.ts";

const [a, b] = ["a".repeat(32), "b".repeat(32)] as const;
const plain: NodeEntry = { name: null, tags: [], meshIp: null, pinnedVia: null };

function document(body: Partial<ConfigBody> = {}): ConfigDocument {
  return {
    network: "corp",
    epoch: 1,
    version: 1,
    parent: null,
    author: a,
    createdAt: 5,
    note: "first",
    body: { ...emptyBody, ...body },
  };
}

function refused(body: unknown): string {
  try {
    parseBody(body);
  } catch (error) {
    assert.ok(error instanceof NetConfigError);
    assert.equal(error.code, "NETCONFIG_INVALID");
    return `${error.fields.path}: ${error.message}`;
  }
  throw new Error("it was taken");
}

Deno.test("a full document comes back as it was written", () => {
  const full = document({
    nodes: {
      [a]: { name: "db-1", tags: ["prod", "v1.2"], meshIp: "10.100.0.9", pinnedVia: b },
      [b]: plain,
    },
    dns: [
      { name: "www.shop", type: "CNAME", value: "db-1.pulse", ttl: 60 },
      { name: "_pg._tcp.db", type: "SRV", value: "0 5 5432 db-1.pulse.", ttl: 60 },
      { name: "*.x", type: "AAAA", value: "fd00::1", ttl: 1 },
    ],
    acls: [{
      action: "allow",
      from: "tag:dev",
      to: "10.0.0.0/8",
      ports: [{ from: 8000, to: 9000 }],
      protocols: ["tcp"],
      comment: "why, and \u00fc",
    }],
    aclAssertions: [{ from: "db-1", to: "*", port: 1, protocol: "udp", expect: "deny" }],
    revoked: [{ node: b, at: 1, reason: "lost" }],
    tokens: [{
      id: "0123456789abcdef",
      sealedKey: "AAAA",
      createdAt: 1,
      expiresAt: null,
      maxUses: 1,
      roles: ["exit"],
      tags: ["prod"],
      name: "db-2",
      ephemeralMs: 1,
    }],
    routes: [{ cidr: "192.168.0.0/16", via: b }, { cidr: "fd01::/64", via: b }],
    templates: { "tag:web": { "log-level": "debug" } },
  });
  assert.deepEqual(parseDocument(encodeDocument(full)), full);
});

Deno.test("keys a newer version added are passed over, at every level", () => {
  const value = JSON.parse(new TextDecoder().decode(encodeDocument(document({
    nodes: { [a]: plain },
  }))));
  value.later = 1;
  value.body.more = { x: [] };
  value.body.nodes[a].colour = "red";
  const parsed = parseDocument(new TextEncoder().encode(JSON.stringify(value)));
  assert.deepEqual(parsed, document({ nodes: { [a]: plain } }));
});

Deno.test("a name is a DNS label nobody takes for a node id", () => {
  for (const name of ["db", "a", "db-1", "x".repeat(63), "abc", "deadbeefg"]) {
    parseBody({ ...emptyBody, nodes: { [a]: { ...plain, name } } });
  }
  const bad = ["", "Db", "-a", "a-", "a.b", "a_b", "x".repeat(64), "cafe", a, "\u00fc", "a\n"];
  for (const name of bad) {
    assert.match(refused({ ...emptyBody, nodes: { [a]: { ...plain, name } } }), /nodes\..*name/);
  }
});

Deno.test("names and mesh addresses are unique, and addresses inside the mesh", () => {
  const two = (one: Partial<NodeEntry>, other: Partial<NodeEntry>) => ({
    ...emptyBody,
    nodes: { [a]: { ...plain, ...one }, [b]: { ...plain, ...other } },
  });
  assert.match(refused(two({ name: "db" }, { name: "db" })), new RegExp(`${b}.name.*${a} too`));
  const ip = { meshIp: "10.100.0.9" };
  assert.match(refused(two(ip, ip)), /meshIp.*too/);
  for (const meshIp of ["10.101.0.1", "10.100.0.0", "10.100.255.255"]) {
    assert.match(refused(two({ meshIp }, {})), /not a host of the mesh/);
  }
  assert.match(refused(two({ meshIp: "10.100.0.09" }, {})), /not an IPv4/);
  assert.match(refused(two({ pinnedVia: a }, {})), /the node itself/);
  parseBody(two({ name: "x", meshIp: "10.100.0.1" }, { name: "y", meshIp: "10.100.0.2" }));
});

Deno.test("a CIDR has one spelling", () => {
  const route = (cidr: string) => ({ ...emptyBody, routes: [{ cidr, via: a }] });
  for (const cidr of ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "::/0", "fd00:1::/32"]) {
    parseBody(route(cidr));
  }
  for (const cidr of ["10.0.0.1/8", "10.0.0.0/08", "10.0.0.0", "10.0.0.0/33", "FD00::/8", "x/8"]) {
    assert.match(refused(route(cidr)), /routes\.0\.cidr/);
  }
  for (const meshCidr of ["fd00::/8", "10.0.0.0/31", "10.0.0.0/7", "10.0.0.1/16"]) {
    assert.match(refused({ ...emptyBody, meshCidr }), /meshCidr/);
  }
});

Deno.test("a record's value fits its type", () => {
  const record = (type: string, value: string, name = "x") => ({
    ...emptyBody,
    dns: [{ name, type, value, ttl: 1 }],
  });
  parseBody(record("TXT", "a b;c"));
  for (
    const [type, value] of [
      ["A", "fd00::1"],
      ["AAAA", "1.2.3.4"],
      ["CNAME", "a b"],
      ["CNAME", "*.x"],
      ["TXT", "x".repeat(256)],
      ["SRV", "1 2 db"],
      ["SRV", "1 2 70000 db"],
      ["MX", "10 db"],
    ] as const
  ) assert.match(refused(record(type, value)), /dns\.0/);
  assert.match(refused(record("A", "1.2.3.4", "a..b")), /dns\.0\.name/);
});

Deno.test("what is named twice and what is too much is refused", () => {
  const revocation = { node: a, at: 1, reason: "" };
  assert.match(refused({ ...emptyBody, revoked: [revocation, revocation] }), /second time/);
  const tags = Array.from({ length: configLimits.tagsPerNode + 1 }, (_, i) => `t${i}`);
  assert.match(refused({ ...emptyBody, nodes: { [a]: { ...plain, tags } } }), /tags/);
  assert.match(refused({ ...emptyBody, nodes: { "__proto__x": plain } }), /nodes/);
});

Deno.test("a document that fits every list's bound but not the whole is refused", () => {
  const note = "x".repeat(configLimits.commentLength);
  const rule = {
    action: "allow" as const,
    from: "*".repeat(128),
    to: "*".repeat(128),
    ports: [],
    protocols: [],
    comment: note,
  };
  const acls = Array.from({ length: 10_000 }, () => rule);
  assert.throws(() => encodeDocument(document({ acls })), { code: "NETCONFIG_INVALID" });
});

Deno.test("bytes that are no JSON, and JSON that is no document, are refused with a code", () => {
  for (const text of ["", "{", "null", "[]", '"x"', "{}", '{"network":"corp"}']) {
    assert.throws(() => parseDocument(new TextEncoder().encode(text)), (error) => {
      assert.ok(error instanceof NetConfigError);
      return /MALFORMED|INVALID/.test(error.code);
    });
  }
  assert.throws(() => parseDocument(Uint8Array.of(0xff, 0xfe)), { code: "NETCONFIG_MALFORMED" });
});
