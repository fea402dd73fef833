import { z } from "zod";
import { compactBody } from "../compact_body.ts";
import type { DnsCommand, DnsListCommand } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { renderTable } from "../render/table.ts";
import { requestList, scribeRequest } from "../plugin_request.ts";
import { change } from "./change.ts";

const record = z.object({
  name: z.string(),
  type: z.string(),
  value: z.string(),
  ttl: z.number(),
});

/** DNS records below `.pulse`. */
export async function dns(command: DnsCommand, io: CliIo): Promise<number> {
  switch (command.command) {
    case "dns list":
      return await list(command, io);
    case "dns add": {
      const { name, type, value, ttl } = command;
      const body = compactBody({ name, type, value, ttl });
      return await change(command, io, "POST", "/api/dns", body);
    }
    case "dns remove": {
      const { name, type } = command;
      return await change(command, io, "DELETE", "/api/dns", compactBody({ name, type }));
    }
  }
}

async function list(command: DnsListCommand, io: CliIo): Promise<number> {
  const records = await requestList(scribeRequest, command, io, "/api/dns", "records");
  if (command.json) {
    printJson(io, { records });
    return exitCode.ok;
  }
  if (records.length === 0) {
    io.stdout("no DNS records; nodes have their names without any\n");
    return exitCode.ok;
  }
  const lines = renderTable(
    [
      { title: "NAME" },
      { title: "TYPE" },
      { title: "VALUE", shrinkTo: 20 },
      { title: "TTL", align: "right", dispensable: 1 },
    ],
    z.array(record).parse(records).map(({ name, type, value, ttl }) => [
      `${name}.pulse`,
      type,
      value,
      String(ttl),
    ]),
    { width: io.columns },
  );
  io.stdout(`${lines.join("\n")}\n`);
  return exitCode.ok;
}
