import { isIP } from "node:net";
import { canonicalName, isPlainName } from "./dns_name.ts";
import { ResourceRecord } from "./resource_record.ts";
import type { DirectoryRecord } from "./snapshot.ts";

/** A string of a TXT record has its length in one byte. */
const maxText = 255;

/** A configured record, or what is wrong with its value. */
export function readRecord(
  owner: string,
  { type, value, ttl }: DirectoryRecord,
): ResourceRecord | string {
  switch (type) {
    case "A":
      return isIP(value) === 4
        ? new ResourceRecord(owner, { type, ttl, data: value })
        : "the value is not an IPv4 address";
    case "AAAA":
      return isIP(value) === 6 && !value.includes("%")
        ? new ResourceRecord(owner, { type, ttl, data: value })
        : "the value is not an IPv6 address";
    case "CNAME": {
      const data = targetName(value);
      return data === undefined
        ? "the value is not a name"
        : new ResourceRecord(owner, { type, ttl, data });
    }
    case "SRV": {
      const [, priority, weight, port, word = ""] =
        /^(\d{1,5}) +(\d{1,5}) +(\d{1,5}) +(\S+)$/.exec(value) ?? [];
      const target = targetName(word);
      const numbers = [priority, weight, port].map(Number);
      if (target === undefined || numbers.some((number) => !(number <= 65_535))) {
        return "the value is not priority, weight, port and name";
      }
      const data = { priority: numbers[0]!, weight: numbers[1]!, port: numbers[2]!, target };
      return new ResourceRecord(owner, { type, ttl, data });
    }
    case "TXT":
      return new ResourceRecord(owner, { type, ttl, data: splitText(value) });
  }
}

/** A name without a dot is one of the mesh: `db` is `db.pulse`. */
function targetName(text: string): string | undefined {
  const name = canonicalName(text);
  const full = name.includes(".") || text.endsWith(".") ? name : `${name}.pulse`;
  return isPlainName(full) ? full : undefined;
}

/** In pieces that fit, never through the middle of a character. */
function splitText(text: string): string[] {
  const encoder = new TextEncoder();
  const parts: string[] = [];
  let part = "";
  let length = 0;
  for (const character of text) {
    const bytes = encoder.encode(character).length;
    if (length + bytes > maxText) {
      parts.push(part);
      part = "";
      length = 0;
    }
    part += character;
    length += bytes;
  }
  return [...parts, part];
}
