import { z } from "zod";
import { defaultMeshCidr } from "../../core/identity/mesh_address.ts";
import { parseNodeId } from "../../core/identity/mod.ts";
import type { Json } from "../../core/plugin/types.ts";

const name = z.string().min(1).max(253);

const node = z.object({
  id: z.string().transform(parseNodeId),
  name: name.nullable(),
  tags: z.array(z.string().max(64)).max(256).default([]),
  meshAddresses: z.array(z.string().max(64)).max(16),
  services: z.array(z.object({ name, port: z.int().min(1).max(65_535) })).max(64).default([]),
});

const record = z.object({
  name,
  type: z.enum(["A", "AAAA", "CNAME", "TXT", "SRV"]),
  value: z.string().max(4_096),
  ttl: z.int().min(0).max(2 ** 31 - 1),
});

const snapshot = z.object({
  version: z.int().min(0),
  network: z.string().max(64),
  self: z.string(),
  meshCidr: z.string().max(32).default(defaultMeshCidr),
  nodes: z.array(node).max(100_000),
  records: z.array(record).max(100_000),
});

/** What the mesh knows of names: the answer of core's `directory` service. */
export type Snapshot = z.infer<typeof snapshot>;
export type DirectoryNode = Snapshot["nodes"][number];
export type DirectoryRecord = Snapshot["records"][number];

/** @throws {z.ZodError} core and this plugin do not fit together */
export function readSnapshot(value: Json): Snapshot {
  return snapshot.parse(value);
}
