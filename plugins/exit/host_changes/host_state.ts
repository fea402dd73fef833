import type { Journal } from "./journal.ts";
import { type ChangeableHost, changeKey, type HostChange, type HostEntry } from "./types.ts";

/** What came of making the machine as it is wanted. */
export interface Reconciled {
  readonly applied: number;
  readonly undone: number;
  /** What could not be done; it is tried again. */
  readonly failures: readonly unknown[];
}

/**
 * What this program has changed on the machine. A change is on the disk before it is made, and stays there until it has been undone,
 * so that whoever comes next after a `kill -9` can undo it. After the constructor everything that an earlier run has left is held as
 * if this one had made it.
 */
export class HostState {
  readonly #host: ChangeableHost;
  readonly #journal: Journal;
  #entries: HostEntry[];
  /** Entries of an earlier run: nobody knows whether it came to make them. */
  #unsure: boolean;

  /** @throws {ExitJournalError} */
  constructor(host: ChangeableHost, journal: Journal) {
    this.#host = host;
    this.#journal = journal;
    this.#entries = [...journal.read(host.boot)];
    this.#unsure = this.#entries.length > 0;
  }

  /** What is changed now, oldest first. */
  get entries(): readonly HostEntry[] {
    return this.#entries;
  }

  /** Makes the machine have exactly these changes: new ones first, then what is no longer wanted is undone. @throws {ExitJournalError} */
  reconcile(wanted: readonly HostChange[]): Reconciled {
    const failures: unknown[] = [];
    const attempt = (act: () => void): boolean => {
      try {
        act();
        return true;
      } catch (error) {
        failures.push(error);
        return false;
      }
    };
    const byKey = new Map(wanted.map((change) => [changeKey(change), change]));
    const gone = this.#entries.filter((entry) => !byKey.has(changeKey(entry)));
    const todo: HostEntry[] = [];
    this.#entries = this.#entries.map((entry) => {
      const next = byKey.get(changeKey(entry));
      byKey.delete(changeKey(entry));
      if (next?.kind !== "filter" || !differs(entry, next)) return entry;
      todo.push(next);
      return next;
    });
    const kept = this.#entries.filter((entry) => !gone.includes(entry) && !todo.includes(entry));
    todo.push(...this.#unsure ? kept : this.#host.missing(kept));
    this.#unsure = false;
    for (const change of byKey.values()) {
      attempt(() => {
        const entry = this.#host.record(change);
        if (entry === undefined) return;
        this.#entries.push(entry);
        todo.push(entry);
      });
    }
    if (todo.length > 0) this.#journal.write(this.#host.boot, this.#entries);
    const applied = todo.filter((entry) => attempt(() => this.#host.apply(entry)));
    const undone = new Set(
      gone.toReversed().filter((entry) => attempt(() => this.#host.undo(entry))),
    );
    if (undone.size > 0) {
      this.#entries = this.#entries.filter((entry) => !undone.has(entry));
      this.#journal.write(this.#host.boot, this.#entries);
    }
    return { applied: applied.length, undone: undone.size, failures };
  }
}

/** The one thing that can be about the same and yet another: the table is made anew, whole. */
function differs(entry: HostEntry, next: HostChange & { readonly kind: "filter" }): boolean {
  return entry.kind !== "filter" || JSON.stringify(entry.filter) !== JSON.stringify(next.filter);
}
