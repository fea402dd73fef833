import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { errorText } from "../../errors/mod.ts";
import { DialError } from "../errors.ts";

/** Addresses of one name that are tried; a name with more is somebody's mistake. */
const maxAddresses = 4;

/**
 * The addresses to dial for a host name or IP literal, those a socket bound to `boundTo` can reach. Deno's QUIC would resolve names
 * itself, but on the event loop's thread and only to the first address. Where the process may dial the name but not look it up
 * (a relay is granted its peers by name and nothing else), the name itself is the answer.
 * @throws {DialError}
 */
export async function resolveHost(host: string, boundTo: string): Promise<readonly string[]> {
  const ipv4Only = isIP(boundTo) === 4;
  const found = isIP(host) !== 0 ? [host] : await lookUp(host);
  if (found === undefined) return [host];
  const usable = found.filter((address) => !ipv4Only || isIP(address) === 4);
  if (usable.length === 0) {
    throw new DialError(
      `${host} has no address that a socket bound to ${boundTo} can reach`,
      { host },
    );
  }
  return usable.slice(0, maxAddresses);
}

/** Undefined: looking up is not permitted here. */
async function lookUp(host: string): Promise<string[] | undefined> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPERM") return undefined;
    throw new DialError(`The name ${host} does not resolve: ${errorText(error)}`, { host }, error);
  }
}
