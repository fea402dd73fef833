import { z } from "zod";
import { compactBody } from "../ca_request.ts";
import type { RouteCommand, RouteListCommand } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";
import { scribeRequest } from "../scribe_request.ts";
import { change } from "./change.ts";

const schema = z.object({ routes: z.array(z.object({ cidr: z.string(), via: z.string() })) });

/** Routes out of the mesh, and who may lead there. */
export async function route(command: RouteCommand, io: CliIo): Promise<number> {
  switch (command.command) {
    case "route list":
      return await list(command, io);
    case "route add":
    case "route approve": {
      const { cidr, via } = command;
      return await change(command, io, "POST", "/api/routes", { cidr, via });
    }
    case "route remove": {
      const { cidr, via } = command;
      return await change(command, io, "DELETE", "/api/routes", compactBody({ cidr, via }));
    }
  }
}

async function list(command: RouteListCommand, io: CliIo): Promise<number> {
  const answer = await scribeRequest(command, io, "GET", "/api/routes");
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { routes } = schema.parse(answer);
  if (routes.length === 0) {
    io.stdout("no routes out of the mesh are approved\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [{ title: "CIDR" }, { title: "EXIT NODE" }],
    routes.map(({ cidr, via }) => [cidr, via]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}
