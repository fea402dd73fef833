import { z } from "zod";
import { errorText, PulseError } from "../../../core/errors/mod.ts";
import { isNodeId } from "../../../core/identity/mod.ts";

const id = z.string().refine(isNodeId, "is not a node id");
const addresses = z.array(z.string().max(64)).max(8);
const range = z.strictObject({ cidr: z.string().max(64) });

const rule = z.strictObject({
  allow: z.boolean(),
  protocols: z.int().min(0).max(7),
  ports: z.array(z.int().min(0).max(65_535)),
  to: z.union([z.literal("node"), z.literal("all"), range]),
});
const rules = z.strictObject({ rules: z.array(rule), otherwise: z.boolean() });

const link = z.strictObject({
  id,
  kind: z.enum(["quic", "direct_quic", "websocket"]),
  remote: z.string().max(80),
});

const node = z.strictObject({
  id,
  addresses,
  fec: z.boolean(),
  inbound: z.int().min(0),
  outbound: z.int().min(0),
  paths: z.array(z.strictObject({ nodes: z.array(id).min(2).max(17), weight: z.number() })).max(16),
});

const snapshot = z.strictObject({
  version: z.int(),
  self: id,
  addresses,
  meshCidr: z.string().max(32),
  port: z.string().max(80).nullable(),
  links: z.array(link),
  nodes: z.array(node),
  rules: z.array(rules),
}).refine(
  ({ nodes, rules }) => nodes.every((n) => Math.max(n.inbound, n.outbound) < rules.length),
  "names rules that are not there",
);

/** What core knows of the mesh, as far as packets are concerned. */
export type MeshSnapshot = z.infer<typeof snapshot>;
export type MeshLink = z.infer<typeof link>;
export type MeshNode = z.infer<typeof node>;
export type MeshRules = z.infer<typeof rules>;

/** Reads core's answer; null: nothing has changed. @throws {PulseError} TUN_SNAPSHOT */
export function readSnapshot(value: unknown): MeshSnapshot | null {
  const result = snapshot.nullable().safeParse(value);
  if (result.success) return result.data;
  throw new PulseError(
    "TUN_SNAPSHOT",
    `What core says of the mesh is not what the packet tunnel understands: ${
      errorText(result.error.issues[0])
    }`,
  );
}
