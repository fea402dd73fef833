import { join } from "node:path";
import { Libc } from "../../../ffi/mod.ts";
import { HostState } from "./host_state.ts";
import { Journal, journalName } from "./journal.ts";
import { LinuxHost } from "./linux_host.ts";
import type { HostEntry } from "./types.ts";

/** What a node that is not running has left changed on this machine. */
export interface Leftovers {
  readonly entries: readonly HostEntry[];
  /** Why some of them could not be undone. */
  readonly failures: readonly unknown[];
}

/**
 * Looks for it and, if asked to, undoes it. Nobody else may use the directory meanwhile.
 *
 * @param dir the plugin's directory
 * @returns what is left afterwards, and what was before
 * @throws {ExitJournalError, FfiError}
 */
export function leftovers(
  dir: string,
  { undo }: { readonly undo: boolean },
): Leftovers & { readonly found: readonly HostEntry[] } {
  const path = join(dir, journalName);
  if (!exists(path)) return { found: [], entries: [], failures: [] };
  using libc = Libc.open();
  using host = new LinuxHost(libc);
  const state = new HostState(host, new Journal(path));
  const found = state.entries;
  const failures = undo ? state.reconcile([]).failures : [];
  return { found, entries: state.entries, failures };
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
