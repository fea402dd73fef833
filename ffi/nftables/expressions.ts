import { attribute, be32, nested, text } from "../netlink/attributes.ts";

/*
 * The instructions a rule is made of (linux/netfilter/nf_tables.h): a rule loads into a register, changes and compares it,
 * and ends where a comparison fails, or with a verdict. Everything here uses the one register 1, of 16 bytes.
 */

/** One instruction, encoded. */
export type Expression = Uint8Array;

const REGISTER = 1;
const VERDICT_REGISTER = 0;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;

function expression(name: string, attributes: readonly Uint8Array[]): Expression {
  // NFTA_LIST_ELEM of NFTA_EXPR_NAME and NFTA_EXPR_DATA.
  return nested(1, [attribute(1, text(name)), nested(2, attributes)]);
}

function value(type: number, bytes: Uint8Array): Uint8Array {
  return nested(type, [attribute(NFTA_DATA_VALUE, bytes)]);
}

/** Where a piece of a packet is counted from. */
const bases = { link: 0, network: 1, transport: 2 } as const;

/** Loads `length` bytes of the packet. */
export function loadPayload(
  base: keyof typeof bases,
  offset: number,
  length: number,
): Expression {
  return expression("payload", [
    attribute(1, be32(REGISTER)),
    attribute(2, be32(bases[base])),
    attribute(3, be32(offset)),
    attribute(4, be32(length)),
  ]);
}

/** What is known about a packet; NFT_META_*. Numbers are in the machine's order, names are 16 bytes. */
const metaKeys = {
  mark: 3,
  inputName: 6,
  outputName: 7,
  family: 15,
  protocol: 16,
} as const;

export function loadMeta(key: keyof typeof metaKeys): Expression {
  return expression("meta", [attribute(1, be32(REGISTER)), attribute(2, be32(metaKeys[key]))]);
}

/** Sets what is known about a packet to the register's value. */
export function storeMark(): Expression {
  return expression("meta", [attribute(2, be32(metaKeys.mark)), attribute(3, be32(REGISTER))]);
}

/** Loads the state of the packet's connection: 4 bytes in the machine's order. */
export function loadConnectionState(): Expression {
  return expression("ct", [attribute(1, be32(REGISTER)), attribute(2, be32(0))]);
}

/** Loads a constant. */
export function loadValue(bytes: Uint8Array): Expression {
  return expression("immediate", [attribute(1, be32(REGISTER)), value(2, bytes)]);
}

/** Keeps only the bits of the mask. */
export function maskWith(mask: Uint8Array): Expression {
  return expression("bitwise", [
    attribute(1, be32(REGISTER)),
    attribute(2, be32(REGISTER)),
    attribute(3, be32(mask.length)),
    value(4, mask),
    value(5, new Uint8Array(mask.length)),
  ]);
}

/** Ends the rule unless the register is, or is not, these bytes. */
export function compare(operation: "equal" | "unequal", bytes: Uint8Array): Expression {
  return expression("cmp", [
    attribute(1, be32(REGISTER)),
    attribute(2, be32(operation === "equal" ? 0 : 1)),
    value(3, bytes),
  ]);
}

/** Counts packets and bytes. */
export function counter(): Expression {
  return expression("counter", []);
}

/** Gives the packets of a connection the address of the interface they leave through. Only in chains of type nat. */
export function masquerade(): Expression {
  return expression("masq", []);
}

/** What becomes of a packet; `return` goes on where the chain was jumped to from. */
export type Verdict = "drop" | "accept" | "return";

/** NF_* and NFT_*: negative ones are nf_tables' own. */
const verdicts: Readonly<Record<Verdict, number>> = { drop: 0, accept: 1, return: -5 };

/** Decides about the packet. `accept` ends this table only: another one may still drop it. */
export function verdict(kind: Verdict): Expression {
  return expression("immediate", [
    attribute(1, be32(VERDICT_REGISTER)),
    nested(2, [nested(NFTA_DATA_VERDICT, [attribute(1, be32(verdicts[kind]))])]),
  ]);
}

/** Goes on in another chain of the table, and comes back when that one does not decide. */
export function jump(chain: string): Expression {
  return expression("immediate", [
    attribute(1, be32(VERDICT_REGISTER)),
    nested(2, [nested(NFTA_DATA_VERDICT, [attribute(1, be32(-3)), attribute(2, text(chain))])]),
  ]);
}
