import { z } from "zod";
import type { TemplateCommand, TemplateListCommand } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { parseKeyValues } from "../key_values.ts";
import { renderTable } from "../render/table.ts";
import { scribeRequest } from "../plugin_request.ts";
import { change } from "./change.ts";

const schema = z.object({ templates: z.record(z.string(), z.record(z.string(), z.string())) });

/** Settings of all nodes with a tag. */
export async function template(command: TemplateCommand, io: CliIo): Promise<number> {
  switch (command.command) {
    case "template list":
      return await list(command, io);
    case "template set": {
      const { pattern } = command;
      const settings = parseKeyValues(command.settings);
      return await change(command, io, "POST", "/api/templates", { pattern, settings });
    }
    case "template remove":
      return await change(command, io, "DELETE", "/api/templates", { pattern: command.pattern });
  }
}

async function list(command: TemplateListCommand, io: CliIo): Promise<number> {
  const answer = await scribeRequest(command, io, "GET", "/api/templates");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const templates = Object.entries(schema.parse(answer).templates);
  if (templates.length === 0) {
    io.stdout("no templates; make one with: pulse template set TAG KEY=VALUE\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [{ title: "TAG" }, { title: "SETTINGS", shrinkTo: 20 }],
    templates.map(([pattern, settings]) => [
      pattern,
      Object.entries(settings).map(([key, value]) => `${key}=${value}`).join(" "),
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}
