import { z } from "zod";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { removeTemplate } from "../changes/remove_template.ts";
import { setTemplate } from "../changes/set_template.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { versionText } from "../version_text.ts";
import { changed, conditions, named } from "./answers.ts";
import { adminRoute, readRoute } from "./route.ts";

const pattern = z.string().max(63);
const setRequest = z.strictObject({
  pattern,
  settings: z.record(z.string().max(64), z.string().max(4_096)),
});
const removeRequest = z.strictObject({ pattern });

const event = {
  type: "template_changed",
  about: ({ templates }: ConfigBody): Json => ({ ...templates }),
};

/** Settings of all nodes with a tag. */
export function templateRoutes(scribe: Scribe): PluginApiRoute[] {
  return [
    readRoute("/templates", "List the templates", async () => {
      const current = await scribe.mesh.current();
      const body = { templates: { ...current.body.templates } };
      return { status: 200, body, etag: versionText(current) };
    }),
    adminRoute("POST", "/templates", "Set the settings of a tag", async (request) => {
      const argument = parseRequest(setRequest, request.body);
      return changed(await scribe.change(setTemplate, argument, event, conditions(request)));
    }, { body: setRequest }),
    adminRoute("DELETE", "/templates", "Remove a template", async (request) => {
      const argument = parseRequest(removeRequest, named(request));
      return changed(await scribe.change(removeTemplate, argument, event, conditions(request)));
    }, { query: removeRequest }),
  ];
}
