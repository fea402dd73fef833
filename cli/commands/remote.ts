import { z } from "zod";
import { escapeText } from "../../core/log/escape_text.ts";
import type { Json } from "../../core/plugin/types.ts";
import type { RemoteCommand } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { parseKeyValues } from "../key_values.ts";
import { scribeRequest } from "../plugin_request.ts";
import { UsageError } from "../usage_error.ts";

const schema = z.object({
  results: z.array(z.object({ node: z.string(), ok: z.boolean(), detail: z.string() })),
});

/** Tells nodes what to do and shows what each said; exit code 1 when one of them did not do it. */
export async function remote(command: RemoteCommand, io: CliIo): Promise<number> {
  const { path, body } = request(command);
  const answer = await scribeRequest(command, io, "POST", path, body);
  const { results } = schema.parse(answer);
  if (command.json) printJson(io, answer);
  else {
    for (const { node, ok, detail } of results) {
      io.stdout(`${escapeText(`${node}  ${ok ? "" : "failed: "}${detail}`)}\n`);
    }
  }
  return results.every(({ ok }) => ok) ? exitCode.ok : exitCode.failed;
}

function request(command: RemoteCommand): { readonly path: string; readonly body: Json } {
  switch (command.command) {
    case "restart":
      return { path: "/api/remote/restart", body: { node: command.node } };
    case "remote-config": {
      const { node } = command;
      return {
        path: "/api/remote/config",
        body: { node, config: parseKeyValues(command.settings) },
      };
    }
    case "bulk": {
      const { pattern, action } = command;
      if ((action === "config") !== (command.settings.length > 0)) {
        throw new UsageError(
          action === "config"
            ? "bulk config needs settings: pulse bulk TAG config log-level=debug"
            : `bulk ${action} takes no settings`,
        );
      }
      const config = parseKeyValues(command.settings);
      const body = action === "config" ? { pattern, action, config } : { pattern, action };
      return { path: "/api/bulk", body };
    }
  }
}
