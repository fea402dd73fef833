import { z } from "zod";
import { errorText } from "../../core/errors/mod.ts";
import { syncDirectory, writeFileAtomic } from "../../core/identity/atomic_file.ts";
import { dirname, join } from "node:path";
import { DnsSetupError } from "./errors.ts";
import type { FileState } from "./host_files.ts";

const bytes = z.base64().transform((text) => Uint8Array.fromBase64(text));

const state = z.strictObject({
  content: bytes,
  mode: z.int().min(0).max(0o7777),
  uid: z.int().min(0),
  gid: z.int().min(0),
});

const journal = z.strictObject({
  format: z.literal(1),
  resolver: z.string().max(64),
  root: z.string().max(4_096),
  reload: z.array(z.string().max(256)).max(8),
  changes: z.array(z.strictObject({
    path: z.string().startsWith("/").max(4_096),
    before: state.nullable(),
    after: bytes,
    /** Made for it, outermost first. */
    folders: z.array(z.string().startsWith("/").max(4_096)).max(16),
  })).max(8),
});

/** What was there before, written before anything is changed. */
export type Journal = z.infer<typeof journal>;
export type Change = Journal["changes"][number];

const fileName = "dns-setup.json";

/** The journal of a setup that has not been undone; null when there is none. @throws {DnsSetupError} DNS_SETUP_JOURNAL */
export async function readJournal(dataDir: string): Promise<Journal | null> {
  const path = join(dataDir, fileName);
  try {
    return journal.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw journalError(path, "read", cause);
  }
}

/** On the disk when it returns. @throws {DnsSetupError} DNS_SETUP_JOURNAL */
export async function writeJournal(dataDir: string, value: Journal): Promise<void> {
  const path = join(dataDir, fileName);
  const stateJson = (each: FileState) => ({ ...each, content: each.content.toBase64() });
  const changes = value.changes.map((change) => ({
    ...change,
    before: change.before === null ? null : stateJson(change.before),
    after: change.after.toBase64(),
  }));
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFileAtomic(path, JSON.stringify({ ...value, changes }), { mode: 0o600 });
  } catch (cause) {
    throw journalError(path, "written", cause);
  }
}

export async function removeJournal(dataDir: string): Promise<void> {
  const path = join(dataDir, fileName);
  try {
    await Deno.remove(path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    throw journalError(path, "removed", cause);
  }
}

function journalError(path: string, what: string, cause: unknown): DnsSetupError {
  return new DnsSetupError(
    "DNS_SETUP_JOURNAL",
    `${path}, which remembers how this machine was before, cannot be ${what}: ${errorText(cause)}`,
    { path },
    cause,
  );
}
