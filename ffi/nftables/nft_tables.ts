import { FfiError } from "../libc/errors.ts";
import { AttributeMap } from "../netlink/attributes.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import type { NetlinkSocket } from "../netlink/netlink_socket.ts";
import { messageHeader, nftFamily, nftType, type TableId } from "./nft_header.ts";

const NEW_TABLE = 0;
const GET_TABLE = 1;
const HEADER = 4;

/** The tables of the packet filter that are about IP, everybody's. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listTables(netlink: NetlinkSocket): TableId[] {
  const body = [messageHeader(0)];
  return netlink.dump({ type: nftType(GET_TABLE), body }, {
    call: "NFT_MSG_GETTABLE",
    what: "list the nftables tables",
  }).filter(({ type }) => type === nftType(NEW_TABLE)).map(readTable)
    .filter((table) => table !== undefined);
}

/** Undefined for a table that is not about IP. @throws {FfiError} FFI_MESSAGE */
export function readTable({ body }: NetlinkMessage): TableId | undefined {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", "a table's answer is cut off");
  const family = nftFamily(body[0] ?? 0);
  const name = new AttributeMap(body.subarray(HEADER)).text(1);
  return family === undefined || name === undefined ? undefined : { family, name };
}
