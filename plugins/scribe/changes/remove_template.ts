import { ScribeError } from "../errors.ts";
import type { Change } from "./types.ts";

/** @throws {ScribeError} TEMPLATE_UNKNOWN */
export const removeTemplate: Change<{ readonly pattern: string }> = (body, { pattern }) => {
  if (!Object.hasOwn(body.templates, pattern)) {
    throw new ScribeError("TEMPLATE_UNKNOWN", `there is no template ${pattern.slice(0, 80)}`);
  }
  const templates = Object.entries(body.templates).filter(([other]) => other !== pattern);
  return {
    body: { ...body, templates: Object.fromEntries(templates) },
    note: `template ${pattern} removed`,
  };
};
