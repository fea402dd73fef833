import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import { removeStaleTemporaries, writeFileAtomic } from "../identity/atomic_file.ts";
import {
  apiKeyId,
  type ApiKeyRecord,
  type ApiKeyRole,
  generateApiKey,
  hashApiKey,
  matchesApiKey,
} from "./api_key.ts";
import { ControlError } from "./errors.ts";

/** Keys a node keeps; making one more is refused. */
export const maxApiKeys = 256;

/** A key as it is listed. */
export interface ApiKeyInfo {
  readonly id: string;
  readonly name: string;
  readonly role: ApiKeyRole;
  /** RFC 3339, as are the others. */
  readonly createdAt: string;
  readonly endsAt: string | null;
  /** Since the daemon's start: a write for every request would wear the disk. */
  readonly lastUsedAt: string | null;
}

/** A new key: the only time its text is seen. */
export interface NewApiKey extends ApiKeyInfo {
  readonly key: string;
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(z.strictObject({
    id: z.string().regex(/^[0-9a-f]{12}$/),
    name: z.string().max(64),
    role: z.enum(["admin", "read"]),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    createdAt: z.int().min(0),
    endsAt: z.int().min(0).nullable(),
  })).max(maxApiKeys),
});

/**
 * The node's API keys, in a file of mode 0600 that is replaced whole. It is read at first use and then kept in memory: what is written to
 * the file behind the daemon's back counts after its next start.
 */
export class ApiKeyStore {
  readonly #path: string;
  readonly #now: () => number;
  readonly #lastUsed = new Map<string, number>();
  #records: ReadonlyMap<string, ApiKeyRecord> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param now wall clock, milliseconds since the epoch */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** The keys that work, oldest first. @throws {ControlError} API_KEYS_UNAVAILABLE, as do all of these */
  async list(): Promise<ApiKeyInfo[]> {
    return (await this.#working()).map((record) => this.#info(record));
  }

  /** @throws {ControlError} API_KEYS_FULL */
  async create(name: string, role: ApiKeyRole): Promise<NewApiKey> {
    return await this.#change((records) => this.#add(records, name, role));
  }

  /**
   * A new key of the same name and kind.
   * @param overlapMs how long the old one goes on working; null until it is revoked
   * @throws {ControlError} API_KEY_UNKNOWN, API_KEYS_FULL
   */
  async rotate(id: string, overlapMs: number | null): Promise<NewApiKey> {
    return await this.#change((records) => {
      const old = known(records, id);
      if (overlapMs !== null) {
        const endsAt = Math.min(old.endsAt ?? Infinity, this.#now() + overlapMs);
        records.set(id, { ...old, endsAt });
      }
      return this.#add(records, old.name, old.role);
    });
  }

  /** @throws {ControlError} API_KEY_UNKNOWN */
  async revoke(id: string): Promise<ApiKeyInfo> {
    return await this.#change((records) => {
      const info = this.#info(known(records, id));
      records.delete(id);
      return info;
    });
  }

  /** The key that a request shows, if it works. */
  async authenticate(text: string): Promise<ApiKeyInfo | undefined> {
    const id = apiKeyId(text);
    if (id === undefined) return undefined;
    const record = (await this.#load()).get(id);
    if (!matchesApiKey(text, record) || record === undefined || this.#isOver(record)) {
      return undefined;
    }
    this.#lastUsed.set(id, this.#now());
    return this.#info(record);
  }

  #add(records: Map<string, ApiKeyRecord>, name: string, role: ApiKeyRole): NewApiKey {
    if (records.size >= maxApiKeys) {
      throw new ControlError(
        "API_KEYS_FULL",
        `This node keeps ${maxApiKeys} API keys at most; revoke one that is not needed`,
        { limit: maxApiKeys },
      );
    }
    const { id, key } = generateApiKey();
    const hash = hashApiKey(key);
    const record = { id, name, role, hash, createdAt: this.#now(), endsAt: null };
    records.set(id, record);
    return { ...this.#info(record), key };
  }

  #info({ id, name, role, createdAt, endsAt }: ApiKeyRecord): ApiKeyInfo {
    const lastUsed = this.#lastUsed.get(id);
    const time = (ms: number) => new Date(ms).toISOString();
    return {
      id,
      name,
      role,
      createdAt: time(createdAt),
      endsAt: endsAt === null ? null : time(endsAt),
      lastUsedAt: lastUsed === undefined ? null : time(lastUsed),
    };
  }

  #isOver({ endsAt }: ApiKeyRecord): boolean {
    return endsAt !== null && endsAt <= this.#now();
  }

  async #working(): Promise<ApiKeyRecord[]> {
    return [...(await this.#load()).values()].filter((record) => !this.#isOver(record));
  }

  /** One change at a time. What could not be written has not happened. */
  async #change<T>(change: (records: Map<string, ApiKeyRecord>) => T): Promise<T> {
    const work = this.#turn.then(async () => {
      const records = new Map((await this.#working()).map((record) => [record.id, record]));
      const result = change(records);
      await this.#save(records);
      this.#records = records;
      for (const id of this.#lastUsed.keys()) if (!records.has(id)) this.#lastUsed.delete(id);
      return result;
    });
    // The next in line runs whatever became of this one, whose caller hears about it.
    this.#turn = work.catch(() => {});
    return await work;
  }

  async #load(): Promise<ReadonlyMap<string, ApiKeyRecord>> {
    if (this.#records !== undefined) return this.#records;
    let loaded: Map<string, ApiKeyRecord>;
    try {
      loaded = await readRecords(this.#path);
    } catch (cause) {
      throw unavailable(this.#path, "be read", cause);
    }
    // Two first requests at once: the second must not undo what was changed after the first.
    return this.#records ??= loaded;
  }

  async #save(records: ReadonlyMap<string, ApiKeyRecord>): Promise<void> {
    try {
      const text = JSON.stringify({ version: 1, keys: [...records.values()] }, null, 2);
      await writeFileAtomic(this.#path, `${text}\n`, { mode: 0o600 });
      await removeStaleTemporaries(this.#path, Date.now());
    } catch (cause) {
      throw unavailable(this.#path, "be written", cause);
    }
  }
}

async function readRecords(path: string): Promise<Map<string, ApiKeyRecord>> {
  let text: string;
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & 0o077) !== 0) {
      throw new Error(`others can use it; run: chmod 600 ${path}`);
    }
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
  const result = fileSchema.safeParse(parseJson(text));
  if (!result.success) throw new Error("it is damaged; remove it, and make new keys");
  return new Map(result.data.keys.map((record) => [record.id, record]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it like any other damage.
    return undefined;
  }
}

function known(records: ReadonlyMap<string, ApiKeyRecord>, id: string): ApiKeyRecord {
  const record = records.get(id);
  if (record !== undefined) return record;
  throw new ControlError("API_KEY_UNKNOWN", `This node has no API key with the id ${id}`, { id });
}

function unavailable(path: string, verb: string, cause: unknown): ControlError {
  return new ControlError(
    "API_KEYS_UNAVAILABLE",
    `The API keys in ${path} cannot ${verb}: ${errorText(cause)}`,
    { path },
    cause,
  );
}
