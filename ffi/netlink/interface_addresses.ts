import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { familyNumbers, familyOf } from "../libc/family.ts";
import { attribute, AttributeMap, u32 } from "./attributes.ts";
import { Flag, type NetlinkMessage } from "./message.ts";
import type { NetlinkSocket, Purpose } from "./netlink_socket.ts";
import { addressBytes, ipText } from "./prefix.ts";

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
/** struct ifaddrmsg: u8 family, u8 prefix length, u8 flags, u8 scope, u32 index. */
const HEADER = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
/** No duplicate address detection: an address of a tunnel is nobody else's, and is usable at once. */
const IFA_F_NODAD = 0x2;
const IFA_F_NOPREFIXROUTE = 0x200;

/** An address of an interface. */
export interface InterfaceAddress {
  /** Of the interface. */
  readonly index: number;
  readonly address: string;
  /** Length of the network it is in. */
  readonly prefixLength: number;
}

/** How to add an address. */
export interface AddAddressOptions {
  /** Whether the kernel adds a route to its network, too. @default {true} */
  readonly prefixRoute?: boolean;
}

/** All addresses, or those of one interface. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listAddresses(netlink: NetlinkSocket, index?: number): InterfaceAddress[] {
  const messages = netlink.dump({ type: RTM_GETADDR, body: [header(0, 0, index ?? 0)] }, {
    call: "RTM_GETADDR",
    what: "list the addresses",
  });
  // Kernels before 4.20 do not filter.
  return messages.filter(({ type }) => type === RTM_NEWADDR).map(readInterfaceAddress)
    .filter((found) => found !== undefined)
    .filter((found) => index === undefined || found.index === index);
}

/** Gives an interface an address, or changes the one it has. @throws {FfiError} FFI_NETLINK, FFI_ARGUMENT */
export function addAddress(
  netlink: NetlinkSocket,
  address: InterfaceAddress,
  { prefixRoute = true }: AddAddressOptions = {},
): void {
  const flags = IFA_F_NODAD | (prefixRoute ? 0 : IFA_F_NOPREFIXROUTE);
  const body = [...encode(address), attribute(IFA_FLAGS, u32(flags))];
  netlink.request(
    { type: RTM_NEWADDR, flags: Flag.create | Flag.replace, body },
    purpose("RTM_NEWADDR", "add", address, {
      [Errno.ENODEV]: "there is no such interface any more",
    }),
  );
}

/** Takes an address from an interface. @throws {FfiError} FFI_NETLINK, FFI_ARGUMENT */
export function deleteAddress(netlink: NetlinkSocket, address: InterfaceAddress): void {
  netlink.request(
    { type: RTM_DELADDR, flags: 0, body: encode(address) },
    purpose("RTM_DELADDR", "delete", address),
  );
}

function purpose(
  call: string,
  verb: string,
  { address, prefixLength, index }: InterfaceAddress,
  hints: Purpose["hints"] = {},
): Purpose {
  const what = `${verb} the address ${address}/${prefixLength} of interface ${index}`;
  return { call, what, hints };
}

function encode({ index, address, prefixLength }: InterfaceAddress): Uint8Array[] {
  const bytes = addressBytes(address);
  const family = bytes.length === 4 ? familyNumbers.ipv4 : familyNumbers.ipv6;
  return [
    header(family, prefixLength, index),
    attribute(IFA_LOCAL, bytes),
    attribute(IFA_ADDRESS, bytes),
  ];
}

function header(family: number, prefixLength: number, index: number): Uint8Array {
  const out = new Uint8Array(HEADER);
  out[0] = family;
  out[1] = prefixLength;
  new DataView(out.buffer).setUint32(4, index, true);
  return out;
}

/** Undefined for a family that is not IP. @throws {FfiError} FFI_MESSAGE */
export function readInterfaceAddress({ body }: NetlinkMessage): InterfaceAddress | undefined {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", "an address's answer is cut off");
  const [family = 0, prefixLength = 0] = body;
  const attributes = new AttributeMap(body.subarray(HEADER));
  // On a point-to-point interface IFA_ADDRESS is the other end's.
  const bytes = attributes.bytes(IFA_LOCAL) ?? attributes.bytes(IFA_ADDRESS);
  if (familyOf(family) === undefined || bytes === undefined) return undefined;
  const index = new DataView(body.buffer, body.byteOffset).getUint32(4, true);
  return { index, address: ipText(bytes), prefixLength };
}
