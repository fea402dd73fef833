import { hash } from "node:crypto";
import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { isNetworkName } from "../identity/network_name.ts";
import { isNodeId } from "../identity/node_id.ts";
import { bodySchema } from "./body_schema.ts";
import { NetConfigError } from "./errors.ts";
import { configLimits as limits, maxCounter } from "./limits.ts";
import type { ConfigBody, ConfigDocument } from "./types.ts";

const counter = z.int().min(1).max(maxCounter);

const documentSchema = z.object({
  network: z.string().refine(isNetworkName, "is not a network name"),
  epoch: counter,
  version: counter,
  parent: z.string().regex(/^[0-9a-f]{64}$/, "is not a SHA-256").nullable(),
  author: z.string().refine(isNodeId, "is not a node id"),
  createdAt: z.int().min(0),
  note: z.string().max(limits.noteLength),
  body: bodySchema,
});

/**
 * The bytes that are signed and travel: UTF-8 JSON. They are written once, by the author; everybody else passes on the very same
 * bytes, so that what a newer version wrote survives an older one on its way.
 * @throws {NetConfigError} NETCONFIG_INVALID
 */
export function encodeDocument(document: ConfigDocument): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(JSON.stringify(check(documentSchema, document)));
  if (bytes.length > limits.documentBytes) throw tooLarge(bytes.length);
  return bytes;
}

/**
 * What the bytes say, as far as this version knows it.
 * @throws {NetConfigError} NETCONFIG_MALFORMED, NETCONFIG_INVALID
 */
export function parseDocument(bytes: Uint8Array): ConfigDocument {
  if (bytes.length > limits.documentBytes) throw tooLarge(bytes.length);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new NetConfigError(
      "NETCONFIG_MALFORMED",
      `the network config is not JSON: ${errorText(cause)}`,
      {},
      cause,
    );
  }
  return check(documentSchema, value);
}

/**
 * A body somebody wants to publish.
 * @throws {NetConfigError} NETCONFIG_INVALID with the path of the first fault
 */
export function parseBody(value: unknown): ConfigBody {
  return check(bodySchema, value, ["body"]);
}

/** SHA-256 of a document's bytes, hex: its name in `parent`, in announcements and for people. */
export function documentHash(bytes: Uint8Array): string {
  return hash("sha256", bytes, "hex");
}

function check<T>(schema: z.ZodType<T>, value: unknown, prefix: readonly string[] = []): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = [...prefix, ...issue.path].map(String).join(".");
  throw new NetConfigError(
    "NETCONFIG_INVALID",
    `the network config is not valid: ${path || "it"}: ${issue.message}`,
    { path },
    result.error,
  );
}

function tooLarge(length: number): NetConfigError {
  return new NetConfigError(
    "NETCONFIG_INVALID",
    `the network config has ${length} bytes, ${limits.documentBytes} are the most: remove what is of no more use`,
    { path: "body", bytes: length },
  );
}
