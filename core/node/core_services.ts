import { z } from "zod";
import { errorText, PulseError } from "../errors/mod.ts";
import { NetConfigError, noPosition, sealKey } from "../netconfig/mod.ts";
import type { Json } from "../plugin/types.ts";
import { directorySnapshot, pathBetween } from "./directory.ts";
import { exitSnapshot } from "./exit_snapshot.ts";
import { findExit } from "./find_exit.ts";
import { configProblem } from "./network_config_status.ts";
import type { Node } from "./node.ts";

/** Services core answers itself; a plugin has to name them in `needs` like any other. */
export const coreServices: readonly string[] = [
  "netconfig",
  "directory",
  "dataplane",
  "exits",
  "trust",
];

type Method = (argument: Json, node: Node, now: number) => Promise<unknown> | unknown;

const base64 = (limit: number) =>
  z.base64().max(limit).transform((text) => Uint8Array.fromBase64(text));
const nodeId = z.string().regex(/^[0-9a-f]{32}$/, "is not a node id");

const publishArgument = z.strictObject({
  body: z.unknown(),
  note: z.string(),
  expect: z.strictObject({ epoch: z.int().min(0), version: z.int().min(0) }),
});
const sealArgument = z.strictObject({ key: base64(64) });
const adoptArgument = z.strictObject({ grant: base64(4_096) });
const knownArgument = z.strictObject({ known: z.int() });
const carriersArgument = z.record(nodeId, z.enum(["fast", "quic", "websocket"]));
const rollArgument = z.strictObject({ roll: base64(8_192) });
const findArgument = z.strictObject({ host: z.string().min(1).max(255) });
const pathArgument = z.strictObject({ from: nodeId, to: nodeId });

const methods: Readonly<Record<string, Readonly<Record<string, Method>>>> = {
  netconfig: {
    current: (_argument, node) => current(node),
    publish: async (argument, node) => {
      await node.networkConfig.publish(parse(publishArgument, argument));
      const { document, hash, bytes } = node.networkConfig.state.config!;
      const { epoch, version } = document;
      return { epoch, version, hash, bytes: bytes.toBase64() };
    },
    seal: (argument, node) => {
      const { key } = parse(sealArgument, argument);
      const { grant } = node.networkConfig.state;
      if (grant === null) {
        throw new NetConfigError(
          "NETCONFIG_NOT_SCRIBE",
          "there is no scribe grant, and so no key of the CA to seal to",
        );
      }
      const to = Uint8Array.fromHex(grant.grant.sealKey);
      return sealKey(key, to, crypto.getRandomValues(new Uint8Array(32))).toBase64();
    },
    adoptGrant: (argument, node) => {
      node.networkConfig.adoptGrant(parse(adoptArgument, argument).grant);
      return null;
    },
  },
  trust: {
    current: (_argument, node) => ({
      serial: node.trust.roll?.roll.serial ?? 0,
      newest: node.trust.newest.fingerprint,
    }),
    adopt: (argument, node) => {
      node.trust.adopt(parse(rollArgument, argument).roll);
      return null;
    },
    issuers: (_argument, node) => issuers(node),
  },
  directory: {
    snapshot: (_argument, node, now) => directorySnapshot(node, now),
    path: (argument, node) => {
      const { from, to } = parse(pathArgument, argument);
      return pathBetween(node, from, to);
    },
  },
  exits: {
    find: async (argument, node) =>
      await findExit(node.exits, node.id, parse(findArgument, argument)),
    list: (_argument, node) => node.exits.list(),
    snapshot: (_argument, node) => exitSnapshot(node),
  },
  dataplane: {
    snapshot: (argument, node) => node.dataPlane.snapshot(parse(knownArgument, argument).known),
    mayCarry: (argument, node) => {
      const { from, to } = parse(pathArgument, argument);
      return node.dataPlane.mayCarry(from, to);
    },
    carriers: (argument, node) => {
      node.dataPlane.setCarriers(new Map(Object.entries(parse(carriersArgument, argument))));
      return null;
    },
  },
};

/**
 * Calls a method of a service of core.
 * @param now monotonic, ms
 * @throws {PulseError} NODE_NOT_JOINED, PLUGIN_METHOD_UNKNOWN, NETCONFIG_*
 */
export async function callCoreService(
  node: Node | undefined,
  call: { readonly service: string; readonly method: string; readonly argument: Json },
  now: number,
): Promise<Json> {
  const { service, method, argument } = call;
  const run = Object.hasOwn(methods[service] ?? {}, method) ? methods[service]![method] : undefined;
  if (run === undefined) {
    throw new PulseError(
      "PLUGIN_METHOD_UNKNOWN",
      `The service ${service} has no method ${method}`,
      { service, method },
    );
  }
  if (node === undefined) {
    throw new PulseError("NODE_NOT_JOINED", "This node has not joined a network yet");
  }
  // Everything these give is plain data by its types, which TypeScript cannot see through interfaces.
  return await run(argument, node, now) as Json;
}

function current(node: Node) {
  const { config, grant, isScribe } = node.networkConfig.state;
  const { epoch, version } = config?.document ?? noPosition;
  return {
    epoch,
    version,
    hash: config?.hash ?? "",
    parent: config?.document.parent ?? null,
    author: config?.document.author ?? "",
    createdAt: config?.document.createdAt ?? 0,
    note: config?.document.note ?? "",
    body: node.networkConfig.body,
    scribe: isScribe,
    scribeId: grant?.grant.scribe ?? null,
    grantEpoch: grant?.grant.epoch ?? 0,
    problem: configProblem(node.networkConfig.state),
  };
}

/** Of whose certificate each node that is in reach has shown one, this node first. */
function issuers(node: Node) {
  const ways = node.ways();
  const nodes = [{ id: node.id, issuer: node.credentials.certificate.issuer }];
  const ids = new Set([...node.linkedPeers(), ...ways.keys()]);
  ids.delete(node.id);
  for (const id of ids) {
    const certificate = node.record(id)?.certificate ?? node.link(id)?.session.peer;
    if (certificate !== undefined) nodes.push({ id, issuer: certificate.issuer });
  }
  return { nodes };
}

function parse<T>(schema: z.ZodType<T>, argument: Json): T {
  const result = schema.safeParse(argument);
  if (result.success) return result.data;
  throw new NetConfigError(
    "NETCONFIG_REQUEST",
    `the request is not valid: ${errorText(result.error.issues[0])}`,
    { path: result.error.issues[0]?.path.join(".") },
  );
}
