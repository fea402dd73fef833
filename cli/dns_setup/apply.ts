import type { HostPort } from "../../core/address/mod.ts";
import { DnsSetupError } from "./errors.ts";
import { HostFiles } from "./host_files.ts";
import { type Change, readJournal, removeJournal, writeJournal } from "./journal.ts";
import { planFor } from "./resolvers.ts";

/** Runs a program; rejects when it fails. */
export type RunProgram = (argv: readonly string[]) => Promise<void>;

export interface SetupOptions {
  readonly dataDir: string;
  /** `/`, or an image of a machine; in an image no program is run. */
  readonly root: string;
  readonly dryRun: boolean;
  readonly run: RunProgram;
}

/** What was done, or would be. */
export interface SetupReport {
  readonly resolver: string;
  readonly files: readonly {
    readonly path: string;
    /** `left`: somebody else has changed it since, so it stays as it is. */
    readonly action: "create" | "change" | "restore" | "remove" | "left";
    /** Of a file that is made or changed. */
    readonly content?: string;
  }[];
  readonly reload: readonly string[];
  readonly dryRun: boolean;
}

/**
 * Points this machine's resolver to pulse for `.pulse` names. How it was before is on the disk before anything changes.
 * @throws {DnsSetupError}
 */
export async function setUp(listen: HostPort, options: SetupOptions): Promise<SetupReport> {
  const { dataDir, root, dryRun } = options;
  if (await readJournal(dataDir) !== null) {
    throw new DnsSetupError(
      "DNS_SETUP_DONE_ALREADY",
      'This machine is set up already; to do it anew run "pulse setup dns --undo" first',
    );
  }
  const files = new HostFiles(root);
  const plan = await planFor(files, listen);
  const changes: Change[] = [];
  for (const { path, content } of plan.files) {
    const link = await files.link(path);
    if (link !== null) {
      throw new DnsSetupError(
        "DNS_SETUP_FILE",
        `${path} is a link to ${link}; pulse changes no links`,
        {
          path,
          link,
        },
      );
    }
    changes.push({
      path,
      before: await files.read(path),
      after: new TextEncoder().encode(content),
      folders: await files.missingFolders(path),
    });
  }
  const { resolver, reload } = plan;
  if (!dryRun) {
    await writeJournal(dataDir, { format: 1, resolver, root, reload: [...reload], changes });
    for (const { path, before, after } of changes) {
      const { mode, uid, gid } = before ??
        { mode: 0o644, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
      await files.write(path, { content: after, mode, uid, gid });
    }
    await runReload(reload, options);
  }
  return {
    resolver,
    reload,
    dryRun,
    files: changes.map(({ path, before }, n) => ({
      path,
      action: before === null ? "create" : "change",
      content: plan.files[n]!.content,
    })),
  };
}

/**
 * Puts every file back as it was, byte for byte. One that was changed by somebody else meanwhile is left alone. A setup that was
 * interrupted is undone as far as it came.
 * @throws {DnsSetupError}
 */
export async function undo(options: SetupOptions): Promise<SetupReport> {
  const { dataDir, dryRun } = options;
  const journal = await readJournal(dataDir);
  if (journal === null) {
    throw new DnsSetupError(
      "DNS_SETUP_NOT_DONE",
      `${dataDir} remembers no DNS setup of this machine: there is nothing to undo`,
    );
  }
  const files = new HostFiles(journal.root);
  const done: SetupReport["files"][number][] = [];
  for (const change of journal.changes.toReversed()) {
    const action = await actionFor(files, change);
    if (action === undefined) continue;
    done.push({ path: change.path, action });
    if (!dryRun) await putBack(files, change, action);
  }
  if (!dryRun) {
    for (const { folders } of journal.changes.toReversed()) {
      for (const folder of folders.toReversed()) await files.removeFolder(folder);
    }
    await runReload(journal.reload, { ...options, root: journal.root });
    await removeJournal(dataDir);
  }
  return { resolver: journal.resolver, reload: journal.reload, dryRun, files: done };
}

/** Undefined: it is as it was. */
async function actionFor(
  files: HostFiles,
  { path, before, after }: Change,
): Promise<"restore" | "remove" | "left" | undefined> {
  const now = await files.read(path);
  if (now === null) return before === null ? undefined : "left";
  if (before !== null && equal(now.content, before.content)) return undefined;
  if (!equal(now.content, after)) return "left";
  return before === null ? "remove" : "restore";
}

async function putBack(files: HostFiles, change: Change, action: string): Promise<void> {
  if (action === "remove") await files.remove(change.path);
  if (action === "restore" && change.before !== null) {
    await files.write(change.path, change.before);
  }
}

async function runReload(
  argv: readonly string[],
  { root, run }: Pick<SetupOptions, "root" | "run">,
): Promise<void> {
  if (argv.length === 0 || root !== "/") return;
  try {
    await run(argv);
  } catch (cause) {
    throw new DnsSetupError(
      "DNS_SETUP_RELOAD",
      `The files are written, but "${
        argv.join(" ")
      }" failed; the resolver reads them when it starts`,
      { command: [...argv] },
      cause,
    );
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}
