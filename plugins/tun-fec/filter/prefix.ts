import { isIPv4, isIPv6 } from "node:net";
import { PulseError } from "../../../core/errors/mod.ts";
import type { Prefix } from "./types.ts";

/**
 * Reads an address or CIDR; bits behind the prefix are dropped.
 * @throws {PulseError} PREFIX_INVALID
 */
export function parsePrefix(text: string): Prefix {
  const [address = "", bits, ...more] = text.split("/");
  const six = isIPv6(address) && !address.includes("%");
  const width = six ? 128 : 32;
  const length = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if ((!six && !isIPv4(address)) || more.length > 0 || !(length >= 0 && length <= width)) {
    throw new PulseError("PREFIX_INVALID", `"${text}" is no address or CIDR`, { text });
  }
  const words = six ? words6(address) : [0, 0, 0xffff, word4(address)];
  const whole = six ? length : 96 + length;
  const mask = [0, 1, 2, 3].map((i) => maskWord(Math.min(32, Math.max(0, whole - i * 32))));
  const network = words.map((word, i) => (word & mask[i]!) >>> 0);
  return {
    network: network as unknown as Prefix["network"],
    mask: mask as unknown as Prefix["mask"],
  };
}

function maskWord(bits: number): number {
  return bits === 0 ? 0 : (0xffff_ffff << (32 - bits)) >>> 0;
}

function word4(text: string): number {
  return text.split(".").reduce((word, part) => word * 256 + Number(part), 0);
}

function words6(text: string): number[] {
  // A last part in IPv4's notation is two parts of sixteen bits.
  const plain = text.replace(/(\d+\.\d+\.\d+\.\d+)$/, (v4) => {
    const word = word4(v4);
    return `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const parts = (half: string) => half === "" ? [] : half.split(":").map((p) => parseInt(p, 16));
  const [left, right] = [parts(head), parts(tail ?? "")];
  const middle = tail === undefined
    ? []
    : new Array<number>(8 - left.length - right.length).fill(0);
  const all = [...left, ...middle, ...right];
  return [0, 2, 4, 6].map((i) => (all[i]! << 16 | all[i + 1]!) >>> 0);
}
