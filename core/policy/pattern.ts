import { type Cidr, parseCidr } from "../address/cidr.ts";
import { Glob } from "./glob.ts";

/** What a pattern of a rule stands for. */
export type Pattern =
  | { readonly kind: "any" }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "cidr"; readonly cidr: Cidr }
  /** A name exactly, or a glob over ids; null where it is no well-formed glob. */
  | { readonly kind: "node"; readonly text: string; readonly glob: Glob | null };

/** Reads the pattern of one side; only `to` knows addresses. Whatever it says, it is some pattern. */
export function parsePattern(text: string, side: "from" | "to"): Pattern {
  if (text === "" || text === "*") return { kind: "any" };
  if (text.startsWith("tag:")) return { kind: "tag", tag: text.slice("tag:".length) };
  const cidr = side === "to" ? parseCidr(text) : null;
  if (cidr !== null) return { kind: "cidr", cidr };
  return { kind: "node", text, glob: Glob.parse(text) };
}

/** Why a pattern can match nothing, in words; undefined when it can. */
export function patternFault(text: string, side: "from" | "to"): string | undefined {
  const pattern = parsePattern(text, side);
  if (pattern.kind === "tag" && pattern.tag === "") return "tag: needs a tag behind it";
  if (pattern.kind !== "node") return undefined;
  if (pattern.text.includes("/")) {
    return side === "to"
      ? "is not a range of addresses such as 10.0.0.0/8"
      : "addresses can only be destinations";
  }
  return pattern.glob === null ? "is not a well-formed glob" : undefined;
}
