import { cidrText, parseCidr } from "../address/mod.ts";
import { ConfigError } from "./errors.ts";

/** What a node is told about ways out of the mesh. */
export interface ExitSettings {
  /** Ranges that it leads others to; empty: none. */
  readonly cidrs: readonly string[];
  /** Through whom it lets the whole internet go: `auto`, or a node's id, beginning of its id or name; null: through nobody. */
  readonly use: string | null;
  /** Nothing goes past that exit, also while there is none. */
  readonly killswitch: boolean;
}

/** As many as a gossip record holds. */
const maxCidrs = 32;

/** What an exit that names no ranges leads to. */
const everywhere: readonly string[] = ["0.0.0.0/0", "::/0"];

/** Ranges in their one spelling; several may stand in one text, with commas. */
export function parseExitCidrs(texts: readonly string[] = everywhere): string[] {
  const words = texts.flatMap((text) => text.split(",")).map((word) => word.trim());
  const cidrs = words.filter((word) => word !== "").map((word) => {
    const cidr = parseCidr(word);
    if (cidr === null) {
      throw new ConfigError(
        `"${word.slice(0, 64)}" is not a range; write 192.168.7.0/24 or fd00:7::/64`,
      );
    }
    return cidrText(cidr);
  });
  const unique = [...new Set(cidrs)];
  if (unique.length === 0) throw new ConfigError("names no range; leave it out for all addresses");
  if (unique.length > maxCidrs) throw new ConfigError(`at most ${maxCidrs} ranges`);
  return unique;
}

/** `auto`, or a word that can name a node. */
export function parseUseExit(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(text)) return text;
  throw new ConfigError(
    `"${text.slice(0, 64)}" names no exit; write auto, or a node's id or name`,
  );
}
