import { join } from "node:path";
import type { Clock } from "../clock/clock.ts";
import type { LogFn } from "../plugin/types.ts";
import { auditSchema } from "./audit_log.ts";
import { HistoryDatabase } from "./database.ts";
import { eventSchema } from "./event_store.ts";
import { statsSchema } from "./stats_store.ts";
import { StorageHealth } from "./storage_health.ts";

/** For tests: a clock that is set by hand. */
export interface TestClock extends Clock {
  /** Monotonic. */
  mono: number;
  /** What the wall clock is ahead of it. */
  offset: number;
}

export function testClock(): TestClock {
  return {
    mono: 1_000,
    offset: Date.UTC(2026, 0, 1) - 1_000,
    now() {
      return this.mono;
    },
    wall() {
      return this.mono + this.offset;
    },
  };
}

/** For tests: a directory with a database in it, its clock and what was logged. */
export interface TestStorage {
  readonly dir: string;
  readonly clock: TestClock;
  readonly logged: string[];
  readonly log: LogFn;
  /** A new connection, as after a restart; closed with the storage. */
  open(name?: string, maxBytes?: number): {
    readonly database: HistoryDatabase;
    readonly health: StorageHealth;
  };
}

export async function withStorage(
  run: (storage: TestStorage) => Promise<void> | void,
): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "pulse-history-" });
  const clock = testClock();
  const logged: string[] = [];
  const log: LogFn = (level, message, fields) =>
    logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  using opened = new DisposableStack();
  try {
    await run({
      dir,
      clock,
      logged,
      log,
      open: (name = "history.db", maxBytes = 64 * 1024 * 1024) => {
        const path = join(dir, name);
        const now = () => clock.now();
        const health = new StorageHealth({ what: "records", path, now, log });
        const schema = `${eventSchema}${statsSchema}${auditSchema}`;
        const wall = () => clock.wall();
        const database = opened.use(
          new HistoryDatabase({ path, schema, synchronous: "NORMAL", maxBytes, health, now, wall }),
        );
        return { database, health };
      },
    });
  } finally {
    opened.dispose();
    await Deno.remove(dir, { recursive: true });
  }
}
