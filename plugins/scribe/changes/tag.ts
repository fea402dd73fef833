import { ScribeError } from "../errors.ts";

const form = /^[a-z0-9][a-z0-9._/-]{0,62}$/;

/** @throws {ScribeError} TAG_INVALID */
export function checkTag(tag: string): void {
  if (form.test(tag)) return;
  throw new ScribeError(
    "TAG_INVALID",
    `"${
      tag.slice(0, 80)
    }" cannot be a tag: use 1 to 63 of a-z, 0-9, ".", "_", "/" and "-", a letter or digit first`,
    { tag: tag.slice(0, 80) },
  );
}

/** Whether a tag is one of a group: the tag itself, or what is below it (`site` has `site/berlin`). */
export function tagMatches(group: string, tag: string): boolean {
  return tag === group || tag.startsWith(`${group}/`);
}
