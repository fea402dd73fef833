import { z } from "zod";
import { parseIpv4 } from "../identity/ip_text.ts";
import { parseMeshCidr } from "../identity/mesh_address.ts";
import { isNodeId } from "../identity/node_id.ts";
import { aclAssertion, aclRule } from "./acl_schema.ts";
import { isCanonicalCidr, isMeshCidr } from "./cidr.ts";
import { badRecordValue } from "./dns_record.ts";
import { configLimits as limits } from "./limits.ts";
import { isNodeName, isRecordName, isTag } from "./names.ts";
import type { ConfigBody } from "./types.ts";

const nodeId = z.string().refine(isNodeId, "is not a node id");
const time = z.int().min(0);
const tags = z.array(z.string().max(limits.tagLength).refine(isTag, "is not a tag")).max(
  limits.tagsPerNode,
).refine((list) => new Set(list).size === list.length, "names a tag twice");
const name = z.string().refine(
  isNodeName,
  "is not a name: a-z, 0-9 and - (not at either end), up to 63, and nothing that looks like a node id",
);

const nodeEntry = z.object({
  name: name.nullable(),
  tags,
  meshIp: z.string().refine((text) => parseIpv4(text) !== null, "is not an IPv4 address")
    .nullable(),
  pinnedVia: nodeId.nullable(),
});

const dnsRecord = z.object({
  name: z.string().refine(isRecordName, "is not a name for a record"),
  type: z.enum(["A", "AAAA", "CNAME", "TXT", "SRV"]),
  value: z.string().max(limits.dnsValueLength),
  ttl: z.int().min(0).max(2 ** 31 - 1),
}).superRefine((record, ctx) => {
  const bad = badRecordValue(record);
  if (bad !== undefined) ctx.addIssue({ code: "custom", path: ["value"], message: bad });
});

const revocation = z.object({
  node: nodeId,
  at: time,
  reason: z.string().max(limits.reasonLength),
});

const tokenEntry = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/, "is not a token's id"),
  sealedKey: z.base64().max(limits.sealedKeyLength),
  createdAt: time,
  expiresAt: time.nullable(),
  maxUses: z.int().min(0).max(1_000_000),
  roles: z.array(z.enum(["ca", "scribe", "exit", "relay-only"])).max(4),
  tags,
  name: name.nullable(),
  ephemeralMs: z.int().min(1).nullable(),
});

const route = z.object({
  cidr: z.string().refine(isCanonicalCidr, "is not a canonical CIDR"),
  via: nodeId,
});

const template = z.record(
  z.string().min(1).max(limits.templateKeyLength),
  z.string().max(limits.templateValueLength),
).refine((keys) => Object.keys(keys).length <= limits.templateKeys, "has too many keys");

const atMost = (count: number) =>
  [
    (record: object) => Object.keys(record).length <= count,
    `has more than ${count} entries`,
  ] as const;

/** The body as this version knows it. Keys it does not know are a newer version's and left out of the result. */
export const bodySchema = z.object({
  meshCidr: z.string().refine(isMeshCidr, "is not a canonical IPv4 CIDR from /8 to /30"),
  nodes: z.record(nodeId, nodeEntry).refine(...atMost(limits.nodes)),
  dns: z.array(dnsRecord).max(limits.dnsRecords),
  acls: z.array(aclRule).max(limits.rules),
  aclAssertions: z.array(aclAssertion).max(limits.assertions),
  revoked: z.array(revocation).max(limits.revoked),
  tokens: z.array(tokenEntry).max(limits.tokens),
  routes: z.array(route).max(limits.routes),
  templates: z.record(z.string().min(1).max(limits.patternLength), template)
    .refine(...atMost(limits.templates)),
}).superRefine((body, ctx) => {
  // Refused already, and nothing can be compared with it.
  if (!isMeshCidr(body.meshCidr)) return;
  for (const { path, message } of contradictions(body)) {
    ctx.addIssue({ code: "custom", path: [...path], message });
  }
});

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What every entry for itself is right about, and all together are not. */
function* contradictions(body: ConfigBody): Generator<Contradiction> {
  const names = new Map<string, string>();
  const addresses = new Map<string, string>();
  const range = parseMeshCidr(body.meshCidr);
  for (const [id, node] of Object.entries(body.nodes)) {
    if (node.name !== null) {
      const other = names.get(node.name);
      if (other !== undefined) {
        yield { path: ["nodes", id, "name"], message: `is the name of ${other} too` };
      }
      names.set(node.name, id);
    }
    if (node.meshIp !== null) {
      const path = ["nodes", id, "meshIp"];
      const other = addresses.get(node.meshIp);
      if (other !== undefined) yield { path, message: `is the address of ${other} too` };
      addresses.set(node.meshIp, id);
      const host = ipv4Number(node.meshIp) - range.network;
      if (host < 1 || host > range.hosts) {
        yield { path, message: `is not a host of the mesh CIDR ${body.meshCidr}` };
      }
    }
    if (node.pinnedVia === id) {
      yield { path: ["nodes", id, "pinnedVia"], message: "is the node itself" };
    }
  }
  yield* repeated("revoked", body.revoked.map(({ node }) => node));
  yield* repeated("tokens", body.tokens.map(({ id }) => id));
  yield* repeated("routes", body.routes.map(({ cidr, via }) => `${cidr} ${via}`));
}

function* repeated(list: string, keys: readonly string[]): Generator<Contradiction> {
  const seen = new Set<string>();
  for (const [i, key] of keys.entries()) {
    if (seen.has(key)) yield { path: [list, i], message: `names ${key} a second time` };
    seen.add(key);
  }
}

/** Of text that is known to be an IPv4 address in its one spelling. */
function ipv4Number(text: string): number {
  const bytes = parseIpv4(text);
  return bytes === null ? -1 : new DataView(bytes.buffer).getUint32(0);
}
