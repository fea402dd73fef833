import { join } from "node:path";
import type { Trust } from "../../core/identity/mod.ts";
import { type Authority, authorityFiles, openAuthority } from "./authority.ts";
import { CaDatabase } from "./database.ts";
import { RollStore } from "./roll_store.ts";

/** The CA, and while it is being rolled the one before it. Certificates are issued by the newest. */
export class Authorities {
  #newest: Authority;
  #previous: Authority | undefined;

  constructor(newest: Authority, previous?: Authority) {
    this.#newest = newest;
    this.#previous = previous;
  }

  get newest(): Authority {
    return this.#newest;
  }

  /** Undefined when no roll is going on. */
  get previous(): Authority | undefined {
    return this.#previous;
  }

  /** Whose certificates count. */
  get trust(): Trust {
    const both = this.#previous === undefined ? [this.#newest] : [this.#newest, this.#previous];
    return { anchors: both.map(({ anchor }) => anchor), retired: [] };
  }

  /** The one with this certificate, if it may still issue. */
  find(fingerprint: string): Authority | undefined {
    return [this.#newest, this.#previous].find((each) => each?.anchor.fingerprint === fingerprint);
  }

  begin(successor: Authority): void {
    this.#previous = this.#newest;
    this.#newest = successor;
  }

  finish(): void {
    this.#previous = undefined;
  }
}

/**
 * The CA in this directory as its ledger says: the first one, which is made when there is none, or where its rolls have led. After a
 * crash in the middle of the end of a roll the retired key is removed here.
 * @throws {CaError} as `openAuthority`
 */
export async function openAuthorities(
  directory: string,
  ledgerPath: string,
  now: number,
): Promise<Authorities> {
  const roll = lastRoll(ledgerPath);
  if (roll === undefined) return new Authorities(await openAuthority(directory, now));
  const { generation } = roll;
  const open = (number: number) => openAuthority(directory, now, number, "existing");
  if (roll.stage === "overlap") {
    return new Authorities(await open(generation), await open(generation - 1));
  }
  const newest = await open(generation);
  await removeRetiredKey(directory, generation);
  return new Authorities(newest);
}

/** A key nobody believes any more is only good for cheating those who do not know it yet. */
export async function removeRetiredKey(directory: string, generation: number): Promise<void> {
  try {
    await Deno.remove(join(directory, authorityFiles(generation - 1).key));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function lastRoll(ledgerPath: string) {
  using database = CaDatabase.open(ledgerPath);
  return new RollStore(database).latest();
}
