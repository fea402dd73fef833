import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { attribute, AttributeMap, text, u32 } from "./attributes.ts";
import type { NetlinkMessage } from "./message.ts";
import type { NetlinkSocket } from "./netlink_socket.ts";

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
/** struct ifinfomsg: u8 family, padding, u16 type, i32 index, u32 flags, u32 which flags to change. */
const HEADER = 16;
const IFF_UP = 0x1;
const IFF_LOOPBACK = 0x8;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_TXQLEN = 13;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;
const IFLA_GSO_MAX_SIZE = 41;
const IFLA_GSO_IPV4_MAX_SIZE = 63;

/** A network interface. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `tun`, `bridge`, `veth`; undefined for hardware and loopback. */
  readonly kind: string | undefined;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  /** Packets. */
  readonly txQueueLength: number;
  /** Bytes of the largest packet that leaves unsegmented; undefined where the kernel does not tell. */
  readonly gsoMaxSize: number | undefined;
  /** The same for IPv4, on kernels from 6.3 on. */
  readonly gsoIpv4MaxSize: number | undefined;
}

/** What to change; what is left out stays. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly txQueueLength?: number;
  /** For both families; kernels before 6.3 know only one number. */
  readonly gsoMaxSize?: number;
}

/** All interfaces. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listLinks(netlink: NetlinkSocket): Link[] {
  return netlink.dump({ type: RTM_GETLINK, body: [header(0)] }, {
    call: "RTM_GETLINK",
    what: "list the interfaces",
  }).filter(({ type }) => type === RTM_NEWLINK).map(readLink);
}

/** The interface of that name; undefined when there is none. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function findLink(netlink: NetlinkSocket, name: string): Link | undefined {
  const body = [header(0), attribute(IFLA_IFNAME, text(name))];
  const purpose = { call: "RTM_GETLINK", what: `look up the interface ${name}` };
  const found = netlink.get({ type: RTM_GETLINK, flags: 0, body }, purpose, [Errno.ENODEV]);
  return found === undefined ? undefined : readLink(found);
}

/** Changes an interface. @throws {FfiError} FFI_NETLINK */
export function changeLink(netlink: NetlinkSocket, index: number, change: LinkChange): void {
  const { up, mtu, txQueueLength, gsoMaxSize } = change;
  const number = (type: number, value: number | undefined) =>
    value === undefined ? [] : [attribute(type, u32(value))];
  const body = [
    up === undefined ? header(index) : header(index, up ? IFF_UP : 0, IFF_UP),
    ...number(IFLA_MTU, mtu),
    ...number(IFLA_TXQLEN, txQueueLength),
    ...number(IFLA_GSO_MAX_SIZE, gsoMaxSize),
    ...number(IFLA_GSO_IPV4_MAX_SIZE, gsoMaxSize),
  ];
  netlink.request({ type: RTM_NEWLINK, flags: 0, body }, {
    call: "RTM_NEWLINK",
    what: `change the interface ${index}`,
    hints: { [Errno.ENODEV]: "there is no such interface any more" },
  });
}

function header(index: number, flags = 0, change = 0): Uint8Array {
  const out = new Uint8Array(HEADER);
  const view = new DataView(out.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return out;
}

/** @throws {FfiError} FFI_MESSAGE */
export function readLink({ body }: NetlinkMessage): Link {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", "an interface's answer is cut off");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const flags = view.getUint32(8, true);
  const attributes = new AttributeMap(body.subarray(HEADER));
  return {
    index: view.getInt32(4, true),
    name: attributes.text(IFLA_IFNAME) ?? "",
    kind: attributes.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND),
    up: (flags & IFF_UP) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    txQueueLength: attributes.u32(IFLA_TXQLEN) ?? 0,
    gsoMaxSize: attributes.u32(IFLA_GSO_MAX_SIZE),
    gsoIpv4MaxSize: attributes.u32(IFLA_GSO_IPV4_MAX_SIZE),
  };
}
