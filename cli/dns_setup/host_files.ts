import { dirname, isAbsolute, join, resolve } from "node:path";
import { errorText } from "../../core/errors/mod.ts";
import { writeFileAtomic } from "../../core/identity/atomic_file.ts";
import { DnsSetupError } from "./errors.ts";

/** A file as it is on the disk. */
export interface FileState {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Nothing that configures a resolver is larger. */
const maxBytes = 1024 * 1024;

/** The files of a machine below a root: `/`, or wherever an image of one is. */
export class HostFiles {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Null: there is none. @throws {DnsSetupError} DNS_SETUP_FILE it cannot be read */
  async read(path: string): Promise<FileState | null> {
    try {
      const link = await this.link(path);
      // In an image an absolute link means a file of the image.
      const target = link === null || isAbsolute(link) ? link : resolve(dirname(path), link);
      const real = this.#at(target ?? path);
      const info = await Deno.stat(real);
      if (!info.isFile || info.size > maxBytes) throw new Error("it is not a small file");
      return {
        content: await Deno.readFile(real),
        mode: (info.mode ?? 0o644) & 0o7777,
        uid: info.uid ?? 0,
        gid: info.gid ?? 0,
      };
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw fileError("read", path, cause);
    }
  }

  async text(path: string): Promise<string> {
    const state = await this.read(path);
    return state === null ? "" : new TextDecoder().decode(state.content);
  }

  /** Where a symbolic link leads; null for anything else. */
  async link(path: string): Promise<string | null> {
    try {
      return (await Deno.lstat(this.#at(path))).isSymlink
        ? await Deno.readLink(this.#at(path))
        : null;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw fileError("read", path, cause);
    }
  }

  /** Names in a folder that end so; none when there is no such folder. */
  async list(path: string, ending: string): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const entry of Deno.readDir(this.#at(path))) {
        if (entry.name.endsWith(ending)) names.push(join(path, entry.name));
      }
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw fileError("read", path, cause);
    }
    return names.sort();
  }

  /** Folders above a file that do not exist, outermost first. */
  async missingFolders(path: string): Promise<string[]> {
    const missing: string[] = [];
    for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) {
      if (await exists(this.#at(folder))) break;
      missing.unshift(folder);
    }
    return missing;
  }

  /** Replaces the file as a whole. @throws {DnsSetupError} DNS_SETUP_FILE */
  async write(path: string, { content, mode, uid, gid }: FileState): Promise<void> {
    const real = this.#at(path);
    try {
      await Deno.mkdir(dirname(real), { recursive: true, mode: 0o755 });
      await writeFileAtomic(real, content, { mode });
      // The creation mask of whoever runs this has no say.
      await Deno.chmod(real, mode);
      const info = await Deno.stat(real);
      if (info.uid !== uid || info.gid !== gid) await Deno.chown(real, uid, gid);
    } catch (cause) {
      throw fileError("written", path, cause);
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await Deno.remove(this.#at(path));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw fileError("removed", path, cause);
    }
  }

  /** Removes a folder unless there is something in it. */
  async removeFolder(path: string): Promise<void> {
    try {
      for await (const _ of Deno.readDir(this.#at(path))) return;
      await Deno.remove(this.#at(path));
    } catch (cause) {
      if (!(cause instanceof Deno.errors.NotFound)) throw fileError("removed", path, cause);
    }
  }

  #at(path: string): string {
    return join(this.root, path);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function fileError(what: string, path: string, cause: unknown): DnsSetupError {
  return new DnsSetupError(
    "DNS_SETUP_FILE",
    `${path} cannot be ${what}: ${errorText(cause)}; run this as root`,
    { path },
    cause,
  );
}
