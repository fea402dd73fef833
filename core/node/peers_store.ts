import { z } from "zod";
import { errorText, PulseError } from "../errors/mod.ts";
import { type NodeId, writeFileAtomic } from "../identity/mod.ts";

/** A peer worth dialling again after a restart. */
export interface RememberedPeer {
  readonly id: NodeId;
  readonly addresses: readonly string[];
}

/** Peers kept on disk; the most recently useful ones come first. */
export const maxRememberedPeers = 256;

const fileSchema = z.array(z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  addresses: z.array(z.string().max(300)).max(8),
})).max(maxRememberedPeers);

/**
 * Reads the remembered peers; none when there is no file yet.
 * @throws {PulseError} PEERS_UNREADABLE the file is there but is not ours; what it held is left alone
 */
export async function loadPeers(path: string): Promise<RememberedPeer[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PulseError(
      "PEERS_UNREADABLE",
      `${path} is not a list of peers (${
        errorText(cause).slice(0, 100)
      }); remove it to start with none`,
      { path },
      cause,
    );
  }
}

/** Writes them, readable by this user only: who talks to whom is nobody else's business. */
export async function savePeers(path: string, peers: readonly RememberedPeer[]): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(peers.slice(0, maxRememberedPeers)) + "\n", {
    mode: 0o600,
  });
}
