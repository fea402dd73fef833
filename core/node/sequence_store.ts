import { z } from "zod";
import { PulseError } from "../errors/mod.ts";
import { writeFileAtomic } from "../identity/mod.ts";

/** Sequences reserved by one write, so that a record costs no disk access. */
const reserve = 1_000;

const stateSchema = z.object({ sequence: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) });

/**
 * Reserves gossip sequence numbers across restarts: what is on disk is never lower than any number used, so a restarted node's
 * first record beats its last one.
 * @returns the first number of the new reservation
 * @throws {PulseError} STATE_UNREADABLE
 */
export async function reserveSequences(path: string): Promise<number> {
  let first = 1;
  try {
    first = stateSchema.parse(JSON.parse(await Deno.readTextFile(path))).sequence;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw new PulseError(
        "STATE_UNREADABLE",
        `${path} does not hold this node's state; remove it, the node then catches up from its peers`,
        { path },
        cause,
      );
    }
  }
  await writeFileAtomic(path, JSON.stringify({ sequence: first + reserve }) + "\n", {
    mode: 0o600,
  });
  return first;
}

/** Numbers one reservation is good for. */
export const sequencesPerReservation = reserve;
