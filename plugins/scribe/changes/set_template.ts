import { ScribeError } from "../errors.ts";
import { checkTag } from "./tag.ts";
import type { Change } from "./types.ts";

const key = /^[a-z][a-z0-9-]{0,40}$/;
const maxValue = 512;
const maxSettings = 32;

/** Settings of the nodes that have a tag, or one below it; those set before are replaced. @throws {ScribeError} TEMPLATE_INVALID, TAG_INVALID */
export const setTemplate: Change<
  { readonly pattern: string; readonly settings: { readonly [key: string]: string } }
> = (body, { pattern, settings }) => {
  checkTag(pattern);
  const pairs = Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1);
  if (pairs.length === 0 || pairs.length > maxSettings) {
    throw new ScribeError("TEMPLATE_INVALID", `a template has 1 to ${maxSettings} settings`);
  }
  for (const [name, value] of pairs) {
    if (!key.test(name) || value.length > maxValue) {
      throw new ScribeError(
        "TEMPLATE_INVALID",
        `"${
          name.slice(0, 40)
        }" cannot be set: a setting has a name as in the config file and at most ${maxValue} characters`,
      );
    }
  }
  const made = Object.fromEntries(pairs);
  if (JSON.stringify(body.templates[pattern]) === JSON.stringify(made)) {
    return { body, note: "template unchanged" };
  }
  return {
    body: { ...body, templates: { ...body.templates, [pattern]: made } },
    note: `template ${pattern}: ${pairs.map(([name]) => name).join(", ")}`,
  };
};
