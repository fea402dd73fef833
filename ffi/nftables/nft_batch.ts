import { Errno } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import { attribute, be32, be64, joinBytes, nested, text } from "../netlink/attributes.ts";
import { Flag } from "../netlink/message.ts";
import type { NetlinkSocket, Purpose, Request } from "../netlink/netlink_socket.ts";
import type { Expression } from "./expressions.ts";
import { familyNumber, messageHeader, nftType, type TableId } from "./nft_header.ts";

const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NEW_TABLE = 0;
const DELETE_TABLE = 2;
const NEW_CHAIN = 3;
const NEW_RULE = 6;
const DELETE_RULE = 8;
/** NFT_TABLE_F_OWNER */
const OWNER = 0x2;
/** Longest comment the kernel keeps, with its zero. */
const COMMENT_BYTES = 128;

/** Where on its way through the kernel a packet comes by. */
export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";

const hooks: Readonly<Record<Hook, number>> = {
  prerouting: 0,
  input: 1,
  forward: 2,
  output: 3,
  postrouting: 4,
};

/** The hook of that number; undefined for none, and for hooks that are not about IP. */
export function hookOf(number: number | undefined): Hook | undefined {
  return (Object.keys(hooks) as Hook[]).find((hook) => hooks[hook] === number);
}

/** A chain that packets come into by themselves. */
export interface BaseChain {
  readonly name: string;
  readonly type: "filter" | "nat" | "route";
  readonly hook: Hook;
  /** The smaller comes first: -100 is where destination NAT, 0 where filters, 100 where source NAT belongs. */
  readonly priority: number;
  /** What becomes of packets that no rule decides about. @default {"accept"} */
  readonly policy?: "accept" | "drop";
}

/** How to add a table. */
export interface AddTableOptions {
  /**
   * The table belongs to the socket: nobody else can change it, and the kernel removes it when the socket closes, also after
   * `kill -9`. From Linux 5.12 on.
   * @default {false}
   */
  readonly owned?: boolean;
}

/** Changes to the packet filter that happen all at once, or not at all. */
export class NftBatch {
  readonly #requests: Request[] = [];
  readonly #purposes: Purpose[] = [];

  /** Adds a table. It is no error that there is one of that name. */
  addTable(table: TableId, { owned = false }: AddTableOptions = {}): this {
    const flags = owned ? [attribute(2, be32(OWNER))] : [];
    return this.#add(NEW_TABLE, table, Flag.create, [attribute(1, text(table.name)), ...flags], {
      what: `add the nftables table ${table.name}`,
    });
  }

  /** Deletes a table with all that is in it. It must be there. */
  deleteTable(table: TableId): this {
    return this.#add(DELETE_TABLE, table, 0, [attribute(1, text(table.name))], {
      what: `delete the nftables table ${table.name}`,
      hints: { [Errno.ENOENT]: "there is no such table" },
    });
  }

  /** Sees to it that there is no table of that name: adding it first makes deleting never fail. */
  removeTable(table: TableId): this {
    return this.addTable(table).deleteTable(table);
  }

  /** Adds a chain, to be jumped to when it is only named. */
  addChain(table: TableId, chain: BaseChain | string): this {
    const name = typeof chain === "string" ? chain : chain.name;
    const base = typeof chain === "string" ? [] : [
      nested(4, [attribute(1, be32(hooks[chain.hook])), attribute(2, be32(chain.priority))]),
      attribute(5, be32(chain.policy === "drop" ? 0 : 1)),
      attribute(7, text(chain.type)),
    ];
    const body = [attribute(1, text(table.name)), attribute(3, text(name)), ...base];
    return this.#add(NEW_CHAIN, table, Flag.create, body, {
      what: `add the chain ${name} to the nftables table ${table.name}`,
    });
  }

  /**
   * Appends a rule to a chain.
   *
   * @param comment shown by `nft list ruleset`
   * @throws {FfiError} FFI_ARGUMENT the comment is too long
   */
  addRule(
    table: TableId,
    chain: string,
    expressions: readonly Expression[],
    comment?: string,
  ): this {
    return this.#rule(table, chain, expressions, comment, Flag.create | Flag.append);
  }

  /**
   * Puts a rule in front of all others of a chain: one of another program's, say, which would drop what ours accepts.
   *
   * @param comment by which `listNftRules()` finds it again
   * @throws {FfiError} FFI_ARGUMENT the comment is too long
   */
  insertRule(
    table: TableId,
    chain: string,
    expressions: readonly Expression[],
    comment: string,
  ): this {
    return this.#rule(table, chain, expressions, comment, Flag.create);
  }

  /** Deletes a rule. It must be there. @param handle see `listNftRules()` */
  deleteRule(table: TableId, chain: string, handle: bigint): this {
    const body = [
      attribute(1, text(table.name)),
      attribute(2, text(chain)),
      attribute(3, be64(handle)),
    ];
    return this.#add(DELETE_RULE, table, 0, body, {
      what: `delete a rule of the chain ${chain} of the nftables table ${table.name}`,
      hints: { [Errno.ENOENT]: "it is gone already" },
    });
  }

  /**
   * Does it.
   *
   * @param netlink a socket for `netfilter`
   * @throws {FfiError} FFI_NETLINK with the first step that was refused; nothing has changed then
   */
  commit(netlink: NetlinkSocket): void {
    if (this.#requests.length === 0) return;
    const border = (type: number): Request => ({ type, flags: 0, body: [messageHeader(0, 10)] });
    // An approval of the last step is one of all: they are committed together. Refusals come unasked.
    const steps = this.#requests.map((request, index) =>
      index === this.#requests.length - 1
        ? { ...request, flags: request.flags | Flag.ack }
        : request
    );
    const whole: Purpose = { call: "nfnetlink batch", what: "change the packet filter" };
    netlink.batch(
      [border(BATCH_BEGIN), ...steps, border(BATCH_END)],
      [whole, ...this.#purposes, whole],
      whole,
    );
  }

  #rule(
    table: TableId,
    chain: string,
    expressions: readonly Expression[],
    comment: string | undefined,
    flags: number,
  ): this {
    const body = [
      attribute(1, text(table.name)),
      attribute(2, text(chain)),
      nested(4, expressions),
      ...(comment === undefined ? [] : [attribute(7, commentBytes(comment))]),
    ];
    return this.#add(NEW_RULE, table, flags, body, {
      what: `add a rule to the chain ${chain} of the nftables table ${table.name}`,
      hints: {
        [Errno.ENOENT]:
          "there is no such chain, or the kernel lacks a part of nftables that is needed",
      },
    });
  }

  #add(
    type: number,
    table: TableId,
    flags: number,
    attributes: readonly Uint8Array[],
    purpose: Omit<Purpose, "call">,
  ): this {
    this.#requests.push({
      type: nftType(type),
      flags,
      body: [messageHeader(familyNumber(table.family)), ...attributes],
    });
    this.#purposes.push({ call: names[type] ?? "nftables", ...purpose });
    return this;
  }
}

const names: Readonly<Record<number, string>> = {
  [NEW_TABLE]: "NFT_MSG_NEWTABLE",
  [DELETE_TABLE]: "NFT_MSG_DELTABLE",
  [NEW_CHAIN]: "NFT_MSG_NEWCHAIN",
  [NEW_RULE]: "NFT_MSG_NEWRULE",
  [DELETE_RULE]: "NFT_MSG_DELRULE",
};

/** User data as libnftnl has it: u8 type (0 is a comment), u8 length, value with its zero. */
function commentBytes(comment: string): Uint8Array {
  const value = text(comment);
  if (value.length > COMMENT_BYTES) {
    throw new FfiError("FFI_ARGUMENT", `a comment has at most ${COMMENT_BYTES - 1} bytes`);
  }
  return joinBytes([Uint8Array.of(0, value.length), value]);
}
