import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { type Family, familyNumbers, familyOf } from "../libc/family.ts";
import { attribute, AttributeMap, text, u32, u8 } from "./attributes.ts";
import { Flag, type NetlinkMessage } from "./message.ts";
import type { NetlinkSocket, Purpose } from "./netlink_socket.ts";
import { parsePrefix, prefixText } from "./prefix.ts";

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
/** struct fib_rule_hdr: u8 family, destination and source length, tos, table, two reserved, action; u32 flags. */
const HEADER = 12;
const FIB_RULE_INVERT = 0x2;
const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;

const transports = { tcp: 6, udp: 17 } as const;

/** What a rule does with the packets it matches. */
export type RuleAction = "table" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit";

/** FR_ACT_* of linux/fib_rules.h. */
const actions: Readonly<Record<RuleAction, number>> = {
  table: 1,
  goto: 2,
  nop: 3,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
};

/** Which routing table packets use. What is left out matches every packet. */
export interface Rule {
  readonly family: Family;
  /** Rules are asked in this order, the smallest first. */
  readonly priority: number;
  /** @default {"table"} */
  readonly action?: RuleAction;
  /** For the action "table". */
  readonly table?: number;
  /** The packet's mark, as far as `mask` goes. */
  readonly mark?: number;
  /** @default {0xffffffff} */
  readonly mask?: number;
  /** Source network. */
  readonly from?: string;
  /** Destination network. */
  readonly to?: string;
  readonly inputDevice?: string;
  readonly outputDevice?: string;
  /** What the packet carries. */
  readonly transport?: "tcp" | "udp";
  /** Ports of `transport`. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Routes of the table with a prefix of at most this length do not count: 0 leaves out its default route. */
  readonly suppressPrefixLength?: number;
  /** It matches the packets that are not as said. @default {false} */
  readonly invert?: boolean;
}

/** All rules of both families, or of one. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listRules(netlink: NetlinkSocket, family?: Family): Rule[] {
  const families = family === undefined ? ["ipv4", "ipv6"] as const : [family];
  return families.flatMap((each) => {
    const header = new Uint8Array(HEADER);
    header[0] = familyNumbers[each];
    return netlink.dump({ type: RTM_GETRULE, body: [header] }, {
      call: "RTM_GETRULE",
      what: "list the routing rules",
    }).filter(({ type }) => type === RTM_NEWRULE).map(readRule)
      .filter((rule) => rule !== undefined);
  });
}

/** Adds a rule. @throws {FfiError} FFI_NETLINK it is there already (EEXIST), say; FFI_ARGUMENT */
export function addRule(netlink: NetlinkSocket, rule: Rule): void {
  const flags = Flag.create | Flag.exclusive;
  netlink.request(
    { type: RTM_NEWRULE, flags, body: encodeRule(rule) },
    purpose("RTM_NEWRULE", "add", rule),
  );
}

/** Deletes a rule. @throws {FfiError} FFI_NETLINK there is none (ENOENT), say; FFI_ARGUMENT */
export function deleteRule(netlink: NetlinkSocket, rule: Rule): void {
  netlink.request(
    { type: RTM_DELRULE, flags: 0, body: encodeRule(rule) },
    purpose("RTM_DELRULE", "delete", rule),
  );
}

function purpose(call: string, verb: string, { family, priority }: Rule): Purpose {
  const version = family === "ipv4" ? "IPv4" : "IPv6";
  const hints = {
    [Errno.EEXIST]: "there is such a rule already",
    [Errno.ENOENT]: "there is no such rule",
  };
  return { call, what: `${verb} the ${version} routing rule ${priority}`, hints };
}

/** The message's body. @throws {FfiError} FFI_ARGUMENT */
export function encodeRule(rule: Rule): Uint8Array[] {
  const { family, action = "table", table = 0, invert = false } = rule;
  const network = (value: string | undefined) => {
    if (value === undefined) return undefined;
    const prefix = parsePrefix(value);
    if (prefix.family === family) return prefix;
    throw new FfiError("FFI_ARGUMENT", `${value} in a routing rule for ${family}`);
  };
  const [from, to] = [network(rule.from), network(rule.to)];
  const header = new Uint8Array(HEADER);
  // A table above 255 is told by the attribute only.
  const tableByte = table < 256 ? table : 0;
  const [toLength, fromLength] = [to?.length ?? 0, from?.length ?? 0];
  header.set([familyNumbers[family], toLength, fromLength, 0, tableByte, 0, 0, actions[action]]);
  new DataView(header.buffer).setUint32(8, invert ? FIB_RULE_INVERT : 0, true);
  const number = (type: number, value: number | undefined) =>
    value === undefined ? [] : [attribute(type, u32(value))];
  const name = (type: number, value: string | undefined) =>
    value === undefined ? [] : [attribute(type, text(value))];
  return [
    header,
    attribute(FRA_PRIORITY, u32(rule.priority)),
    ...(action === "table" ? [attribute(FRA_TABLE, u32(table))] : []),
    ...(to === undefined || to.length === 0 ? [] : [attribute(FRA_DST, to.address)]),
    ...(from === undefined || from.length === 0 ? [] : [attribute(FRA_SRC, from.address)]),
    ...number(FRA_FWMARK, rule.mark),
    ...number(FRA_FWMASK, rule.mark === undefined ? undefined : rule.mask ?? 0xffff_ffff),
    ...name(FRA_IIFNAME, rule.inputDevice),
    ...name(FRA_OIFNAME, rule.outputDevice),
    ...number(FRA_SUPPRESS_PREFIXLEN, rule.suppressPrefixLength),
    ...(rule.transport === undefined
      ? []
      : [attribute(FRA_IP_PROTO, u8(transports[rule.transport]))]),
    ...port(FRA_SPORT_RANGE, rule.sourcePort),
    ...port(FRA_DPORT_RANGE, rule.destinationPort),
  ];
}

/** Undefined for a rule that is not about IP, or does what this version does not know. @throws {FfiError} FFI_MESSAGE */
export function readRule({ body }: NetlinkMessage): Rule | undefined {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", "a routing rule's answer is cut off");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const [familyByte = 0, toLength = 0, fromLength = 0, , tableByte = 0, , , actionByte = 0] = body;
  const family = familyOf(familyByte);
  const action = (Object.keys(actions) as RuleAction[]).find((a) => actions[a] === actionByte);
  if (family === undefined || action === undefined) return undefined;
  const attributes = new AttributeMap(body.subarray(HEADER));
  const network = (type: number, length: number) => {
    const bytes = attributes.bytes(type);
    return bytes === undefined ? undefined : prefixText(family, bytes, length);
  };
  const mark = attributes.u32(FRA_FWMARK);
  const suppress = attributes.u32(FRA_SUPPRESS_PREFIXLEN);
  const found = {
    table: action === "table" ? attributes.u32(FRA_TABLE) ?? tableByte : undefined,
    mark,
    mask: mark === undefined ? undefined : attributes.u32(FRA_FWMASK),
    from: network(FRA_SRC, fromLength),
    to: network(FRA_DST, toLength),
    inputDevice: attributes.text(FRA_IIFNAME),
    outputDevice: attributes.text(FRA_OIFNAME),
    transport: transportNames.find((name) =>
      transports[name] === attributes.bytes(FRA_IP_PROTO)?.[0]
    ),
    sourcePort: readPort(attributes, FRA_SPORT_RANGE),
    destinationPort: readPort(attributes, FRA_DPORT_RANGE),
    // The kernel says -1 for "none".
    suppressPrefixLength: suppress === 0xffff_ffff ? undefined : suppress,
    invert: (view.getUint32(8, true) & FIB_RULE_INVERT) !== 0 ? true : undefined,
  };
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  return {
    family,
    priority: attributes.u32(FRA_PRIORITY) ?? 0,
    action,
    ...Object.fromEntries(known),
  };
}

const transportNames = ["tcp", "udp"] as const;

/** struct fib_rule_port_range: first and last, u16 in the machine's order. */
function port(type: number, value: number | undefined): Uint8Array[] {
  if (value === undefined) return [];
  return [attribute(type, new Uint8Array(Uint16Array.of(value, value).buffer))];
}

/** Undefined for none, and for a range, which no rule of ours has. */
function readPort(attributes: AttributeMap, type: number): number | undefined {
  const bytes = attributes.bytes(type);
  if (bytes === undefined || bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  const [first, last] = [view.getUint16(0, true), view.getUint16(2, true)];
  return first === last ? first : undefined;
}
