import { isDeepStrictEqual } from "node:util";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type { Json } from "../../core/plugin/types.ts";

/** One thing that is different between two configs: `before` is null where it is new, `after` where it is gone. */
export interface BodyChange {
  readonly [key: string]: Json;
  /** `nodes.<id>.name`, `dns.db A`, `acls`. */
  readonly what: string;
  readonly before: Json;
  readonly after: Json;
}

/** Most changes told; a last one says that there are more. */
const maxChanges = 1_000;

/** What is different between two configs, by what people call it. */
export function diffBodies(before: ConfigBody, after: ConfigBody): BodyChange[] {
  const [left, right] = [parts(before), parts(after)];
  const changes: BodyChange[] = [];
  for (const what of new Set([...left.keys(), ...right.keys()])) {
    const [old, now] = [left.get(what) ?? null, right.get(what) ?? null];
    if (isDeepStrictEqual(old, now)) continue;
    if (changes.length === maxChanges) {
      changes.push({ what: `more than ${maxChanges} changes`, before: null, after: null });
      break;
    }
    changes.push({ what, before: old, after: now });
  }
  return changes;
}

/** A config as things with a name each. Rules have none but their place, so that they are told as a list. */
function parts(body: ConfigBody): Map<string, Json> {
  const found = new Map<string, Json>();
  const add = (what: string, value: unknown) => found.set(what, value as Json);
  add("meshCidr", body.meshCidr);
  for (const [id, entry] of Object.entries(body.nodes)) {
    for (const [key, value] of Object.entries(entry)) {
      if (value !== null && !(Array.isArray(value) && value.length === 0)) {
        add(`nodes.${id}.${key}`, value);
      }
    }
  }
  for (const record of body.dns) add(`dns.${record.name} ${record.type}`, record);
  if (body.acls.length > 0) add("acls", body.acls);
  if (body.aclAssertions.length > 0) add("aclAssertions", body.aclAssertions);
  for (const entry of body.revoked) add(`revoked.${entry.node}`, entry);
  for (const token of body.tokens) add(`tokens.${token.id}`, token);
  for (const { cidr, via } of body.routes) add(`routes.${cidr}.${via}`, via);
  for (const [pattern, settings] of Object.entries(body.templates)) {
    add(`templates.${pattern}`, settings);
  }
  return found;
}
