import { compactBody } from "../compact_body.ts";
import { exitsSchema } from "../../core/control/schema.ts";
import type { ExitRouteState } from "../../core/exits/mod.ts";
import type { RouteCommand, RouteListCommand } from "../command_line/control_command.ts";
import { printJson, withClient } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";
import { change } from "./change.ts";

const stateTexts: Readonly<Record<ExitRouteState, string>> = {
  active: "in use",
  standby: "standby",
  own: "this node",
  unreachable: "out of reach",
  optional: "not used (--use-exit)",
  unapproved: "not approved",
  unannounced: "not announced",
  reserved: "not outside the mesh",
};

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
  const answer = await withClient(command, io, (client) => client.request("GET", "/api/exits"));
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const { routes, use, killswitch } = exitsSchema.parse(answer);
  if (routes.length === 0) {
    io.stdout("no routes out of the mesh are announced or approved\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [
      { title: "CIDR" },
      { title: "EXIT NODE" },
      { title: "STATE" },
      { title: "SCORE", align: "right", dispensable: 1 },
    ],
    routes.map(({ cidr, via, state, score }) => [
      cidr,
      via,
      stateTexts[state],
      score === null ? "-" : score.toFixed(1),
    ]),
    { width: io.columns },
  );
  if (use !== null) {
    const besides = killswitch ? ", and nothing past it" : "";
    lines.push("", `the internet is reached through the exit ${use}${besides}`);
  }
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}
