import { dirname } from "node:path";
import { z } from "zod";
import { errorText } from "../../../core/errors/mod.ts";
import { ExitJournalError } from "../errors.ts";
import type { HostEntry } from "./types.ts";

const name = z.string().min(1).max(256);
const family = z.enum(["ipv4", "ipv6"]);
const network = z.string().max(64);
const number = z.int().min(0);
const table = z.strictObject({ family: z.enum(["ip", "ip6", "inet"]), name });

const rule = z.strictObject({
  family,
  priority: number,
  action: z.enum(["table", "goto", "nop", "blackhole", "unreachable", "prohibit"]).optional(),
  table: number.optional(),
  mark: number.optional(),
  mask: number.optional(),
  from: network.optional(),
  to: network.optional(),
  suppressPrefixLength: number.optional(),
  transport: z.enum(["tcp", "udp"]).optional(),
  sourcePort: number.optional(),
  destinationPort: number.optional(),
});

const route = z.strictObject({
  destination: network,
  device: number.optional(),
  metric: number.optional(),
  table: number,
  type: z.enum(["unicast", "unreachable"]).optional(),
});

const entry = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("setting"),
    name,
    value: z.string().max(64),
    before: z.string().max(64),
  }),
  z.strictObject({
    kind: z.literal("forwarding6"),
    before: z.string().max(64),
    interfaces: z.record(z.string().max(64), z.string().max(64)),
  }),
  z.strictObject({ kind: z.literal("rule"), rule }),
  z.strictObject({ kind: z.literal("route"), route }),
  z.strictObject({
    kind: z.literal("filter"),
    filter: z.strictObject({
      device: name,
      ranges: z.array(network).max(10_000),
      mesh: z.array(network).max(16),
    }),
  }),
  z.strictObject({ kind: z.literal("pass"), table, chain: name, device: name }),
]);

const file = z.strictObject({
  format: z.literal(1),
  boot: z.string().max(64),
  entries: z.array(entry).max(32_768),
});

/** Name of the file in the plugin's directory. */
export const journalName = "host-changes.json";

/** What this program has changed on the machine, on the disk before it is changed. */
export class Journal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What was changed since this boot, oldest first. @throws {ExitJournalError} */
  read(boot: string): readonly HostEntry[] {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw this.#failure("be read", error);
    }
    try {
      const read = file.parse(JSON.parse(text));
      // The schema has the types' keys; exact optional ones cannot be said in it.
      return read.boot === boot ? read.entries as readonly HostEntry[] : [];
    } catch (error) {
      throw this.#failure("be understood", error);
    }
  }

  /** On the disk when it returns, whole or not at all. Without entries there is no file. @throws {ExitJournalError} */
  write(boot: string, entries: readonly HostEntry[]): void {
    try {
      if (entries.length === 0) this.#remove();
      else this.#replace(JSON.stringify({ format: 1, boot, entries }));
    } catch (error) {
      throw this.#failure("be written", error);
    }
  }

  #replace(text: string): void {
    const temporary = `${this.#path}.tmp`;
    {
      using opened = Deno.openSync(temporary, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += opened.writeSync(bytes.subarray(at));
      opened.syncSync();
    }
    Deno.renameSync(temporary, this.#path);
    this.#syncDirectory();
  }

  #remove(): void {
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    this.#syncDirectory();
  }

  #syncDirectory(): void {
    using directory = Deno.openSync(dirname(this.#path), { read: true });
    directory.syncSync();
  }

  #failure(what: string, cause: unknown): ExitJournalError {
    return new ExitJournalError(
      `${this.#path}, which remembers what was changed on this machine, cannot ${what}: ${
        errorText(cause)
      }`,
      this.#path,
      cause,
    );
  }
}
