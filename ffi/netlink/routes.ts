import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { type Family, familyNumbers, familyOf } from "../libc/family.ts";
import { attribute, AttributeMap, nested, u32 } from "./attributes.ts";
import { Flag, type NetlinkMessage } from "./message.ts";
import type { NetlinkSocket, Purpose } from "./netlink_socket.ts";
import { addressBytes, ipText, parsePrefix, prefixText } from "./prefix.ts";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
/** struct rtmsg: u8 family, destination and source length, tos, table, protocol, scope, type; u32 flags. */
const HEADER = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTAX_MTU = 2;
const RTM_F_CLONED = 0x200;

const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;

/** The table that is used when no rule says otherwise. */
export const MAIN_TABLE = 254;
/** Who made a route: "static" of rtnetlink(7), an administrator. */
const RTPROT_STATIC = 4;

/** What becomes of a packet. */
export type RouteType =
  | "unicast"
  | "local"
  | "broadcast"
  | "anycast"
  | "multicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw";

/** RTN_* of rtnetlink(7). */
const routeTypes: Readonly<Record<RouteType, number>> = {
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
};

/** What a route is known by when it is added or deleted. */
export interface RouteSpec {
  /** `10.0.0.0/8`, `::/0`; without bits behind the length. */
  readonly destination: string;
  /** The next hop; without one the destination is on the link. */
  readonly gateway?: string;
  /** Index of the interface. */
  readonly device?: number;
  /** The smaller is preferred. @default {0} IPv6 turns 0 into 1024 */
  readonly metric?: number;
  /** @default {254} the main one */
  readonly table?: number;
  /** The address that this machine's own packets get. */
  readonly source?: string;
  /** @default {"unicast"} */
  readonly type?: RouteType;
  /** Who made it, a number of rtnetlink(7). @default {4} static */
  readonly protocol?: number;
  /** Bytes of the largest packet on this way. */
  readonly mtu?: number;
}

/** A route as the kernel has it. */
export interface Route extends RouteSpec {
  readonly family: Family;
  readonly metric: number;
  readonly table: number;
  readonly type: RouteType;
  readonly protocol: number;
}

/** Which routes to list. */
export interface RouteFilter {
  /** @default both */
  readonly family?: Family;
  /** @default all tables */
  readonly table?: number;
}

/**
 * Routes of one or all tables, without the ones the kernel keeps for itself (cached ones). A route over several next hops has
 * neither `device` nor `gateway`.
 *
 * @throws {FfiError} FFI_NETLINK, FFI_MESSAGE
 */
export function listRoutes(netlink: NetlinkSocket, { family, table }: RouteFilter = {}): Route[] {
  const families = family === undefined ? ["ipv4", "ipv6"] as const : [family];
  const filter = table === undefined ? [] : [attribute(RTA_TABLE, u32(table))];
  return families.flatMap((each) => {
    const header = new Uint8Array(HEADER);
    header[0] = familyNumbers[each];
    // A table that was never used is, for a filtering kernel, an error and not an empty list.
    const purpose = { call: "RTM_GETROUTE", what: "list the routes" };
    let messages: NetlinkMessage[];
    try {
      messages = netlink.dump({ type: RTM_GETROUTE, body: [header, ...filter] }, purpose);
    } catch (error) {
      if (table === undefined || !(error instanceof FfiError && error.errno === Errno.ENOENT)) {
        throw error;
      }
      return [];
    }
    return messages.filter(({ type }) => type === RTM_NEWROUTE).map((route) => readRoute(route))
      .filter((route) => route !== undefined)
      .filter((route) => table === undefined || route.table === table);
  });
}

/** Adds a route. @throws {FfiError} FFI_NETLINK it is there already (EEXIST), say; FFI_ARGUMENT */
export function addRoute(netlink: NetlinkSocket, route: RouteSpec): void {
  const flags = Flag.create | Flag.exclusive;
  netlink.request(
    { type: RTM_NEWROUTE, flags, body: encodeRoute(route) },
    purpose("RTM_NEWROUTE", "add", route),
  );
}

/** Adds a route, in place of the one with the same destination, table and metric. @throws {FfiError} */
export function replaceRoute(netlink: NetlinkSocket, route: RouteSpec): void {
  const flags = Flag.create | Flag.replace;
  netlink.request(
    { type: RTM_NEWROUTE, flags, body: encodeRoute(route) },
    purpose("RTM_NEWROUTE", "set", route),
  );
}

/** Deletes the first route that is as described. @throws {FfiError} FFI_NETLINK there is none (ESRCH), say */
export function deleteRoute(netlink: NetlinkSocket, route: RouteSpec): void {
  netlink.request(
    { type: RTM_DELROUTE, flags: 0, body: encodeRoute(route, "deletion") },
    purpose("RTM_DELROUTE", "delete", route),
  );
}

function purpose(call: string, verb: string, { destination, table }: RouteSpec): Purpose {
  const where = table === undefined || table === MAIN_TABLE ? "" : ` in table ${table}`;
  const hints = {
    [Errno.EEXIST]: "there is such a route already",
    [Errno.ENODEV]: "there is no such interface any more",
    3: "there is no such route",
  };
  return { call, what: `${verb} the route ${destination}${where}`, hints };
}

/**
 * The message's body. When deleting, what was left out matches anything.
 *
 * @throws {FfiError} FFI_ARGUMENT
 */
export function encodeRoute(route: RouteSpec, purpose: "addition" | "deletion" = "addition") {
  const { gateway, device, metric, source, type = "unicast", mtu } = route;
  const table = route.table ?? MAIN_TABLE;
  const { family, address, length } = parsePrefix(route.destination);
  const adding = purpose === "addition";
  const protocol = route.protocol ?? (adding ? RTPROT_STATIC : 0);
  const onLink = family === "ipv4" && type === "unicast" && gateway === undefined;
  const scope = adding ? onLink ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
  const header = new Uint8Array(HEADER);
  // A table above 255 is told by the attribute only.
  const tableByte = table < 256 ? table : 0;
  const typeNumber = adding || route.type !== undefined ? routeTypes[type] : 0;
  header.set([familyNumbers[family], length, 0, 0, tableByte, protocol, scope, typeNumber]);
  const ip = (attributeType: number, text: string | undefined) => {
    if (text === undefined) return [];
    const bytes = addressBytes(text);
    if (bytes.length === address.length) return [attribute(attributeType, bytes)];
    throw new FfiError(
      "FFI_ARGUMENT",
      `${text} and ${route.destination} are of different families`,
    );
  };
  const number = (attributeType: number, value: number | undefined) =>
    value === undefined ? [] : [attribute(attributeType, u32(value))];
  return [
    header,
    ...(length === 0 ? [] : [attribute(RTA_DST, address)]),
    attribute(RTA_TABLE, u32(table)),
    ...ip(RTA_GATEWAY, gateway),
    ...number(RTA_OIF, device),
    ...number(RTA_PRIORITY, metric),
    ...ip(RTA_PREFSRC, source),
    ...(mtu === undefined ? [] : [nested(RTA_METRICS, [attribute(RTAX_MTU, u32(mtu))])]),
  ];
}

/**
 * Undefined for what is no IP route.
 *
 * @param cached also one that the kernel has derived for one destination
 * @throws {FfiError} FFI_MESSAGE
 */
export function readRoute({ body }: NetlinkMessage, cached = false): Route | undefined {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", "a route's answer is cut off");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [familyByte = 0, length = 0, , , tableByte = 0, protocol = 0, , typeByte = 0] = body;
  const family = familyOf(familyByte);
  const type = (Object.keys(routeTypes) as RouteType[]).find((t) => routeTypes[t] === typeByte);
  if (family === undefined || type === undefined) return undefined;
  if (!cached && (view.getUint32(8, true) & RTM_F_CLONED) !== 0) return undefined;
  const attributes = new AttributeMap(body.subarray(HEADER));
  const gateway = attributes.bytes(RTA_GATEWAY);
  const source = attributes.bytes(RTA_PREFSRC);
  const device = attributes.u32(RTA_OIF);
  const mtu = attributes.nested(RTA_METRICS)?.u32(RTAX_MTU);
  return {
    family,
    destination: prefixText(family, attributes.bytes(RTA_DST), length),
    ...(gateway === undefined ? {} : { gateway: ipText(gateway) }),
    ...(device === undefined ? {} : { device }),
    metric: attributes.u32(RTA_PRIORITY) ?? 0,
    table: attributes.u32(RTA_TABLE) ?? tableByte,
    ...(source === undefined ? {} : { source: ipText(source) }),
    type,
    protocol,
    ...(mtu === undefined ? {} : { mtu }),
  };
}
