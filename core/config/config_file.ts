import { parse as parseToml, TomlError } from "smol-toml";
import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { closest } from "./closest.ts";
import { ConfigError } from "./errors.ts";
import { settingKeys, type SettingName, type Settings } from "./settings.ts";

const maxFileBytes = 256 * 1024;

const text = z.string().min(1).max(4_096);
const flag = z.boolean();
/** RFC 1929 writes the length of each in one byte. */
const credential = text.refine(
  (value) => new TextEncoder().encode(value).length <= 255,
  "is longer than 255 bytes",
);

/** Keys are the flags without their dashes. */
const fileSchema = z.strictObject({
  "data-dir": text,
  network: text,
  addr: text,
  listen: text,
  peers: z.array(text).max(256),
  join: text,
  token: text,
  "ca-token": text,
  ca: flag,
  "ca-days": z.number().positive().max(398),
  scribe: flag,
  socks: flag,
  "socks-listen": text,
  "socks-users": z.record(credential, credential).refine(
    (users) => Object.keys(users).length <= 256,
    "at most 256 users",
  ),
  "socks-direct": flag,
  dns: flag,
  "dns-listen": text,
  "dns-upstream": z.array(text).max(8),
  "dns-allow": z.array(text).max(62),
  tun: flag,
  "tun-name": text,
  "tun-queues": z.int(),
  "tun-rekey-seconds": z.number().min(1).max(120),
  fec: flag,
  service: z.array(text).max(32),
  tcp: text,
  "api-listen": text,
  "api-host": z.array(text).max(16),
  "allow-local": text,
  "mesh-cidr": text,
  "relay-only": flag,
  quic: flag,
  websocket: flag,
  "log-level": text,
  "log-format": text,
}).partial();

/**
 * The settings in a TOML file.
 * @throws {ConfigError} names the file, the line or the key, and what was expected there
 */
export function parseConfigFile(content: string, path: string): Settings {
  let document: unknown;
  try {
    document = parseToml(content);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new ConfigError(
      `${path}:${cause.line}:${cause.column}: this is not TOML: ${firstLine(cause.message)}`,
      { path, line: cause.line },
      cause,
    );
  }
  const result = fileSchema.safeParse(document);
  if (!result.success) {
    const issues = result.error.issues.slice(0, 5).map((issue) => describe(issue, document));
    throw new ConfigError(`${path}: ${issues.join("; ")}`, { path }, result.error);
  }
  const values = new Map<string, unknown>(Object.entries(result.data));
  const settings: Partial<Record<SettingName, unknown>> = {};
  for (const [name, key] of Object.entries(settingKeys) as [SettingName, string][]) {
    if (values.has(key)) settings[name] = values.get(key);
  }
  // The schema's keys and types are the settings' own; only their spelling differs.
  return settings as Settings;
}

/**
 * Reads and parses the file. One that holds a token or a password must not be readable by everybody.
 * @throws {ConfigError}
 */
export async function readConfigFile(path: string): Promise<Settings> {
  let content: string;
  let mode: number | null;
  try {
    using file = await Deno.open(path, { read: true });
    const info = await file.stat();
    if (!info.isFile) throw new ConfigError(`${path} is not a file`, { path });
    if (info.size > maxFileBytes) {
      throw new ConfigError(`${path} has ${info.size} bytes; at most ${maxFileBytes} are read`);
    }
    mode = info.mode;
    content = await new Response(file.readable).text();
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new ConfigError(
      `The configuration file ${path} cannot be read: ${errorText(cause)}`,
      { path },
      cause,
    );
  }
  const settings = parseConfigFile(content, path);
  const secret = settings.token !== undefined || settings.caToken !== undefined ||
    settings.join?.startsWith("pls_") === true || settings.socksUsers !== undefined;
  if (secret && mode !== null && (mode & 0o007) !== 0) {
    throw new ConfigError(
      `${path} holds a secret and everybody on this machine can read it; run: chmod 600 ${path}`,
      { path },
    );
  }
  return settings;
}

function describe(issue: z.core.$ZodIssue, document: unknown): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const meant = closest(key, Object.values(settingKeys));
      const hint = meant === undefined
        ? `known keys: ${Object.values(settingKeys).join(", ")}`
        : `did you mean "${meant}"?`;
      return `unknown key ${JSON.stringify(key)}; ${hint}`;
    }).join("; ");
  }
  const key = issue.path.map((part, i) =>
    typeof part === "number" ? `[${part}]` : i ? `.${String(part)}` : String(part)
  )
    .join("");
  if (issue.code === "invalid_type") {
    return `"${key}" must be ${article(issue.expected)}, not ${
      kindOf(valueAt(document, issue.path))
    }`;
  }
  if (issue.code === "too_small" && issue.origin === "string") return `"${key}" must not be empty`;
  return `"${key}": ${issue.message}`;
}

function article(kind: string): string {
  if (kind === "boolean") return "true or false";
  if (kind === "array") return "a list";
  return kind === "string" ? "a text in quotes" : `a ${kind}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  if (typeof value === "object") return "a table";
  if (typeof value === "string") return "a text";
  return typeof value === "boolean" ? String(value) : "a number";
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const part of path) {
    value = typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined;
  }
  return value;
}

function firstLine(message: string): string {
  return message.replace(/^Invalid TOML document: /, "").split("\n", 1)[0] ?? "";
}
