import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { PulseError } from "../errors/mod.ts";
import type { NodeId } from "../identity/types.ts";
import type { ExitView } from "./exit_view.ts";

/** Addresses of a name that are looked at. */
const maxAddresses = 16;

export interface FindExitOptions {
  /** A name or an address outside the mesh. */
  readonly host: string;
  /** Exits that have just failed. */
  readonly avoid?: readonly NodeId[];
  /** Addresses of a name; none when it has none. @default what this machine's resolver says */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

/**
 * The exit that leads to a host. A name is resolved here to find the exit, and once more there to be dialled: what counts is where
 * it leads from there.
 *
 * @returns null: the host is reached from this machine itself
 * @throws {PulseError} EXIT_DOWN it may be reached through an exit alone, and there is none now
 */
export async function findExit(
  exits: ExitView,
  self: NodeId,
  { host, avoid = [], resolve = resolveName }: FindExitOptions,
): Promise<NodeId | null> {
  if (!exits.matters) return null;
  const addresses = isIP(host) !== 0 ? [host] : (await resolve(host)).slice(0, maxAddresses);
  for (const address of addresses) {
    const found = exits.find(address, avoid);
    if (found !== undefined) return found.via === self ? null : found.via;
  }
  if (addresses.some((address) => exits.blocks(address))) {
    throw new PulseError(
      "EXIT_DOWN",
      `No exit leads to ${host} now, and --exit-killswitch lets nothing go past it`,
      { host },
    );
  }
  return null;
}

async function resolveName(name: string): Promise<readonly string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    // Whoever dials the name next says what is wrong with it.
    return [];
  }
}
