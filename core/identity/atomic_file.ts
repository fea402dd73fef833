import { basename, dirname, join } from "node:path";

export interface AtomicFileOptions {
  /** Permissions of the new file, such as 0o600. */
  readonly mode: number;
}

/**
 * Replaces a file so that a crash or power loss leaves either all of the old contents or all of the new.
 * @throws {Deno.errors} what the file system said; the temporary file is gone then
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: AtomicFileOptions,
): Promise<void> {
  const temporary = await writeTemporary(path, data, options);
  try {
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * Creates a file with these contents unless it exists: of any number of callers, in any number of processes, one gets true.
 */
export async function createFileOnce(
  path: string,
  data: Uint8Array | string,
  options: AtomicFileOptions,
): Promise<boolean> {
  const temporary = await writeTemporary(path, data, options);
  try {
    // link(2) fails when the name exists, where rename(2) would replace it.
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  } finally {
    await Deno.remove(temporary);
  }
  await syncDirectory(dirname(path));
  return true;
}

async function writeTemporary(
  path: string,
  data: Uint8Array | string,
  options: AtomicFileOptions,
): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const suffix = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  const file = await Deno.open(temporary, { write: true, createNew: true, mode: options.mode });
  try {
    let written = 0;
    while (written < bytes.length) written += await file.write(bytes.subarray(written));
    await file.sync();
  } catch (error) {
    file.close();
    await Deno.remove(temporary);
    throw error;
  }
  file.close();
  return temporary;
}

/** Removes temporary files that a crash left beside `path` more than `olderThanMs` ago. */
export async function removeStaleTemporaries(
  path: string,
  now: number,
  olderThanMs = 60_000,
): Promise<void> {
  const directory = dirname(path);
  const prefix = `.${basename(path)}.`;
  for await (const entry of Deno.readDir(directory)) {
    if (!entry.isFile || !entry.name.startsWith(prefix) || !entry.name.endsWith(".tmp")) continue;
    const stale = join(directory, entry.name);
    try {
      const { mtime } = await Deno.lstat(stale);
      if (mtime !== null && now - mtime.getTime() > olderThanMs) await Deno.remove(stale);
    } catch (error) {
      // Its writer finished meanwhile, which is all that is wanted here.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Makes a rename or link in this directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(path, { read: true });
  await directory.sync();
}
