import { hash } from "node:crypto";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type { Json } from "../../core/plugin/types.ts";

/** A body with its keys in one order, so that equal bodies are equal texts. */
export function configText(body: ConfigBody): string {
  return JSON.stringify(sorted(body as unknown as Json));
}

export function sha256(text: string | Uint8Array): string {
  return hash("sha256", text, "hex");
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  pairs.sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(pairs.map(([key, item]) => [key, sorted(item!)]));
}
