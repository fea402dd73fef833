import type { Json } from "../plugin/types.ts";

/** Keys whose values are secrets, wherever they stand. */
const secretKey = /token|secret|passw|psk|credential|invite|(^|[^a-z])code$|private|key$|keys$/i;
/** What names a secret without being one: ids, fingerprints, public keys. */
const harmless = /^(token_?id|public_?key|key_?id)s?$/i;

/** What `code` is in errors and warnings: `CONFIG_FORKED`. */
const errorCodeText = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;

const limits = { depth: 6, entries: 64, text: 1_024 } as const;

/** The value without secrets and without more than a log should hold: long texts and lists are cut, deep ones left out. */
export function redact(value: Json | undefined, depth = 0): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object") return value;
  if (depth >= limits.depth) return "[deeper]";
  if (Array.isArray(value)) {
    const kept = value.slice(0, limits.entries).map((entry: Json) => redact(entry, depth + 1));
    if (value.length > limits.entries) kept.push(`[${value.length - limits.entries} more]`);
    return kept;
  }
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  const kept: [string, Json][] = entries.slice(0, limits.entries).map(([key, entry]) => [
    key.slice(0, 64),
    isSecret(key, entry) ? "[redacted]" : redact(entry, depth + 1),
  ]);
  if (entries.length > limits.entries) {
    kept.push(["[more]", entries.length - limits.entries]);
  }
  // Not by assignment: a key called __proto__ is a key like any other.
  return Object.fromEntries(kept);
}

function isSecret(key: string, value: Json | undefined): boolean {
  if (value === null || typeof value === "boolean" || typeof value === "number") return false;
  if (key === "code" && typeof value === "string" && errorCodeText.test(value)) return false;
  return secretKey.test(key) && !harmless.test(key);
}

/** Invite codes and tokens begin with `pls_`: they are seen also where nobody expects them. */
function redactText(text: string): string {
  const clean = text.replaceAll(/\bpls_[A-Za-z0-9_-]{8,}/g, "[redacted]");
  return clean.length <= limits.text ? clean : `${clean.slice(0, limits.text)}[cut]`;
}
