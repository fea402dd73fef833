import { type Family, familyNumbers } from "../libc/family.ts";
import { attribute, u32 } from "./attributes.ts";
import { type Link, listLinks } from "./links.ts";
import type { NetlinkSocket } from "./netlink_socket.ts";
import { parsePrefix } from "./prefix.ts";
import { listRoutes, MAIN_TABLE, readRoute, type Route } from "./routes.ts";

const RTM_GETROUTE = 26;
const HEADER = 12;
const RTA_DST = 1;
const RTA_MARK = 16;
/** ENETUNREACH and EHOSTUNREACH */
const NO_WAY = [101, 113];

/**
 * The way the kernel would send a packet of this machine's own, by all its rules and tables.
 *
 * @param mark of the packet, which rules may look at
 * @returns undefined when it would not
 * @throws {FfiError} FFI_NETLINK, FFI_ARGUMENT not an address
 */
export function lookupRoute(
  netlink: NetlinkSocket,
  destination: string,
  mark = 0,
): Route | undefined {
  const { family, address } = parsePrefix(destination);
  const header = new Uint8Array(HEADER);
  header.set([familyNumbers[family], address.length * 8]);
  const body = [
    header,
    attribute(RTA_DST, address),
    ...(mark === 0 ? [] : [attribute(RTA_MARK, u32(mark))]),
  ];
  const purpose = { call: "RTM_GETROUTE", what: `look up the route to ${destination}` };
  const answer = netlink.get({ type: RTM_GETROUTE, flags: 0, body }, purpose, NO_WAY);
  return answer === undefined ? undefined : readRoute(answer, true);
}

/** The way to everything that has no better one, and the interface it leads through. */
export interface DefaultRoute {
  readonly route: Route;
  readonly link: Link;
}

/**
 * The default route of the main table that is used: of those whose interface is up the one with the smallest metric.
 *
 * @param except index of an interface that does not count: one's own
 * @throws {FfiError} FFI_NETLINK
 */
export function findDefaultRoute(
  netlink: NetlinkSocket,
  family: Family,
  except?: number,
): DefaultRoute | undefined {
  const all = family === "ipv4" ? "0.0.0.0/0" : "::/0";
  const routes = listRoutes(netlink, { family, table: MAIN_TABLE })
    .filter(({ destination, type }) => destination === all && type === "unicast")
    .sort((a, b) => a.metric - b.metric);
  const links = listLinks(netlink);
  for (const route of routes) {
    const link = links.find(({ index }) => index === route.device && index !== except);
    if (link?.up) return { route, link };
  }
  return undefined;
}
