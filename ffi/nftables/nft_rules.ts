import { FfiError } from "../libc/errors.ts";
import { Errno } from "../libc/errno.ts";
import { attribute, AttributeMap, text } from "../netlink/attributes.ts";
import type { NetlinkMessage } from "../netlink/message.ts";
import type { NetlinkSocket } from "../netlink/netlink_socket.ts";
import { familyNumber, messageHeader, nftFamily, nftType, type TableId } from "./nft_header.ts";
import { type Hook, hookOf } from "./nft_batch.ts";

const NEW_CHAIN = 3;
const GET_CHAIN = 4;
const NEW_RULE = 6;
const GET_RULE = 7;
const HEADER = 4;
/** NF_DROP */
const DROP = 0;
/** Type of user data that is a comment. */
const COMMENT = 0;

/** A chain as the kernel has it. */
export interface NftChain {
  readonly table: TableId;
  readonly name: string;
  /** Where packets come into it by themselves; left out where it is only jumped to. */
  readonly hook?: Hook;
  /** Of a chain with a hook: whether what no rule decides about is dropped. */
  readonly drops?: boolean;
}

/** A rule as the kernel has it. */
export interface NftRule {
  /** By which it can be deleted. */
  readonly handle: bigint;
  readonly comment?: string;
}

/** All chains of the packet filter that are about IP, everybody's. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listChains(netlink: NetlinkSocket): NftChain[] {
  return netlink.dump({ type: nftType(GET_CHAIN), body: [messageHeader(0)] }, {
    call: "NFT_MSG_GETCHAIN",
    what: "list the chains of nftables",
  }).filter(({ type }) => type === nftType(NEW_CHAIN)).map(readChain)
    .filter((chain) => chain !== undefined);
}

/** Undefined for a chain that is not about IP. @throws {FfiError} FFI_MESSAGE */
function readChain({ body }: NetlinkMessage): NftChain | undefined {
  const attributes = attributesOf(body, "a chain");
  const family = nftFamily(body[0] ?? 0);
  const [table, name] = [attributes.text(1), attributes.text(3)];
  if (family === undefined || table === undefined || name === undefined) return undefined;
  const id = { table: { family, name: table }, name };
  const hook = hookOf(attributes.nested(4)?.be32(1));
  return hook === undefined ? id : { ...id, hook, drops: attributes.be32(5) === DROP };
}

/** The rules of a chain, in their order; none when there is no such chain. @throws {FfiError} FFI_NETLINK, FFI_MESSAGE */
export function listNftRules(netlink: NetlinkSocket, table: TableId, chain: string): NftRule[] {
  const body = [
    messageHeader(familyNumber(table.family)),
    attribute(1, text(table.name)),
    attribute(2, text(chain)),
  ];
  const purpose = {
    call: "NFT_MSG_GETRULE",
    what: `list the rules of the chain ${chain} of the nftables table ${table.name}`,
  };
  let messages: NetlinkMessage[];
  try {
    messages = netlink.dump({ type: nftType(GET_RULE), body }, purpose);
  } catch (error) {
    if (!(error instanceof FfiError && error.errno === Errno.ENOENT)) throw error;
    return [];
  }
  return messages.filter(({ type }) => type === nftType(NEW_RULE)).map(readRule);
}

function readRule({ body }: NetlinkMessage): NftRule {
  const attributes = attributesOf(body, "a rule");
  const handle = attributes.be64(3);
  if (handle === undefined) throw new FfiError("FFI_MESSAGE", "a rule has no handle");
  const comment = readComment(attributes.bytes(7));
  return comment === undefined ? { handle } : { handle, comment };
}

/** User data is a list of u8 type, u8 length, value: what other programs put there is theirs. */
function readComment(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes[at + 1]!) {
    if (bytes[at] !== COMMENT) continue;
    return new TextDecoder().decode(bytes.subarray(at + 2, at + 2 + bytes[at + 1]!))
      .replace(/\0.*$/s, "");
  }
  return undefined;
}

function attributesOf(body: Uint8Array, what: string): AttributeMap {
  if (body.length < HEADER) throw new FfiError("FFI_MESSAGE", `${what}'s answer is cut off`);
  return new AttributeMap(body.subarray(HEADER));
}
