import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { HostState } from "./host_state.ts";
import { Journal, journalName } from "./journal.ts";
import { type ChangeableHost, changeKey, type HostChange, type HostEntry } from "./types.ts";

class Killed extends Error {}

/** A machine in memory: settings with values, and things that are there or not. The process may be killed before any step. */
class TestHost implements ChangeableHost {
  readonly boot: string;
  readonly settings = new Map([["net/a", "0"], ["net/b", "1"], ["net/c", "0"]]);
  readonly things = new Map<string, string>([["somebody's", ""]]);
  /** Steps until the process is killed. */
  life = Infinity;
  /** Steps that fail. */
  readonly broken = new Set<string>();

  constructor(boot = "first") {
    this.boot = boot;
  }

  record(change: HostChange): HostEntry | undefined {
    if (change.kind !== "setting") return change as HostEntry;
    const before = this.settings.get(change.name);
    return before === undefined ? undefined : { ...change, before };
  }

  apply(entry: HostEntry): void {
    this.#step(entry);
    if (entry.kind === "setting") this.settings.set(entry.name, entry.value);
    else this.things.set(changeKey(entry), JSON.stringify(entry));
  }

  undo(entry: HostEntry): void {
    this.#step(entry);
    if (entry.kind === "setting") {
      if (this.settings.get(entry.name) === entry.value) {
        this.settings.set(entry.name, entry.before);
      }
    } else this.things.delete(changeKey(entry));
  }

  missing(entries: readonly HostEntry[]): readonly HostEntry[] {
    return entries.filter((entry) =>
      entry.kind !== "setting" && !this.things.has(changeKey(entry))
    );
  }

  /** Everything, for comparing. */
  picture(): unknown {
    return [[...this.settings].sort(), [...this.things].sort()];
  }

  #step(entry: HostEntry): void {
    if (this.life-- <= 0) throw new Killed();
    if (this.broken.has(changeKey(entry))) throw new Error(`${changeKey(entry)} is not to be had`);
  }
}

async function withJournal(test: (journal: Journal, path: string) => void): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-journal-" });
  try {
    const path = join(dir, journalName);
    test(new Journal(path), path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const setting = (name: string, value = "1"): HostChange => ({ kind: "setting", name, value });
const route = (destination: string): HostChange => ({
  kind: "route",
  route: { destination, table: 5 },
});
const filter = (...ranges: string[]): HostChange => ({
  kind: "filter",
  filter: { device: "pulse0", ranges, mesh: ["10.100.0.0/16"] },
});

Deno.test("what is wanted is made, kept when it goes, made anew when it changes, and undone when it is wanted no more", () =>
  withJournal((journal, path) => {
    const host = new TestHost();
    const before = JSON.stringify(host.picture());
    const state = new HostState(host, journal);
    const wanted = [setting("net/a"), route("10.0.0.0/8"), filter("10.0.0.0/8")];
    assert.equal(state.reconcile(wanted).applied, 3);
    assert.equal(state.reconcile(wanted).applied, 0);
    host.things.delete(changeKey(route("10.0.0.0/8")));
    assert.equal(state.reconcile(wanted).applied, 1);
    assert.equal(state.reconcile([...wanted.slice(0, 2), filter("10.7.0.0/16")]).applied, 1);
    assert.match(host.things.get("filter") ?? "", /10\.7/);
    assert.equal(state.reconcile([]).undone, 3);
    assert.equal(JSON.stringify(host.picture()), before);
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  }));

Deno.test("a setting that somebody has changed since is left as it is now", () =>
  withJournal((journal) => {
    const host = new TestHost();
    const state = new HostState(host, journal);
    state.reconcile([setting("net/a", "2")]);
    host.settings.set("net/a", "7");
    state.reconcile([]);
    assert.equal(host.settings.get("net/a"), "7");
  }));

Deno.test("what cannot be done costs itself only, and is tried again", () =>
  withJournal((journal) => {
    const host = new TestHost();
    const state = new HostState(host, journal);
    const [bad, good] = [route("10.0.0.0/8"), route("10.1.0.0/16")];
    host.broken.add(changeKey(bad));
    const first = state.reconcile([bad, good]);
    assert.deepEqual([first.applied, first.failures.length], [1, 1]);
    host.broken.clear();
    assert.deepEqual(state.reconcile([bad, good]), { applied: 1, undone: 0, failures: [] });
    host.broken.add(changeKey(good));
    assert.equal(state.reconcile([]).undone, 1);
    assert.equal(state.entries.length, 1);
    host.broken.clear();
    assert.equal(state.reconcile([]).undone, 1);
    assert.equal(host.things.size, 1);
  }));

Deno.test("after another boot nothing of the last one is undone", () =>
  withJournal((journal) => {
    new HostState(new TestHost("first"), journal).reconcile([setting("net/a")]);
    const host = new TestHost("second");
    host.settings.set("net/a", "1");
    const state = new HostState(host, journal);
    assert.deepEqual(state.entries, []);
    state.reconcile([]);
    assert.equal(host.settings.get("net/a"), "1");
  }));

Deno.test("a journal that cannot be understood is an error that names the file", () =>
  withJournal((journal, path) => {
    Deno.writeTextFileSync(path, `{"format":1,"boot":"first","entries":[{"kind":"run"}]}`);
    assert.throws(() => new HostState(new TestHost(), journal), {
      code: "EXIT_JOURNAL",
      message: new RegExp(`^${path}, which remembers .* cannot be understood`),
    });
  }));

const anyChange = fc.constantFrom(
  setting("net/a"),
  setting("net/b"),
  setting("net/c", "2"),
  setting("net/gone"),
  route("10.0.0.0/8"),
  route("::/0"),
  filter("10.0.0.0/8"),
  filter("::/0"),
);
const anyWanted = fc.uniqueArray(anyChange, { selector: changeKey });

Deno.test("killed before any step of any run, the next one leaves the machine as it was before the first", () =>
  withJournal((journal) => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ wanted: fc.array(anyWanted, { maxLength: 3 }), life: fc.nat(12) }),
          { maxLength: 5 },
        ),
        (runs) => {
          const host = new TestHost();
          const before = JSON.stringify(host.picture());
          for (const { wanted, life } of runs) {
            host.life = life;
            const state = new HostState(host, journal);
            for (const one of wanted) {
              const { failures } = state.reconcile(one);
              // A process that was killed does nothing more.
              if (failures.some((error) => error instanceof Killed)) break;
            }
          }
          host.life = Infinity;
          const last = new HostState(host, journal).reconcile([]);
          assert.deepEqual(last.failures, []);
          assert.equal(JSON.stringify(host.picture()), before);
        },
      ),
    );
  }));
