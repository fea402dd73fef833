import { z } from "zod";
import { writeFileAtomic } from "../identity/mod.ts";
import { type ChainPosition, genesis } from "./hash_chain.ts";

/** What is kept apart from the entries, so that entries cut off at the end are missed. */
export interface AuditHead {
  /** The entry before the first that is kept. */
  readonly base: ChainPosition;
  /** The newest entry. */
  readonly last: ChainPosition;
  /** Why the chain cannot be vouched for from its beginning; null when it can. */
  readonly fault: string | null;
}

export const emptyHead: AuditHead = {
  base: { seq: 0, hash: genesis },
  last: { seq: 0, hash: genesis },
  fault: null,
};

const position = z.strictObject({
  seq: z.int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
const schema = z.strictObject({
  base: position,
  last: position,
  fault: z.string().max(1_024).nullable(),
});

/** @returns the record; null when there is none; `unreadable` when what is there is none */
export function readAuditHead(path: string): AuditHead | null | "unreadable" {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // Not what was written here: the log says so for good.
    return "unreadable";
  }
}

export async function writeAuditHead(path: string, head: AuditHead): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(head)}\n`, { mode: 0o600 });
}
