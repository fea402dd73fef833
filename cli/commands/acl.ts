import { parsePorts } from "../../core/policy/ports.ts";
import type { Json } from "../../core/plugin/types.ts";
import { compactBody } from "../compact_body.ts";
import type { AclCommand, RuleWords } from "../command_line/control_command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { aclDiffText, aclExplainText, aclListText, aclTestText } from "../render/acl_text.ts";
import { requestList, scribeRequest } from "../plugin_request.ts";
import { UsageError } from "../usage_error.ts";
import { change } from "./change.ts";

/** The access policy: its rules, what is expected of them, and why they decide as they do. */
export async function acl(command: AclCommand, io: CliIo): Promise<number> {
  const path = "/api/acls";
  switch (command.command) {
    case "acl list":
      return await list(command, io, path);
    case "acl add": {
      const { at, force } = command;
      return await change(
        command,
        io,
        "POST",
        path,
        compactBody({ rule: rule(command), at, force }),
      );
    }
    case "acl remove": {
      const { index, force } = command;
      return await change(command, io, "DELETE", path, { index, force });
    }
    case "acl move": {
      const { from, to, force } = command;
      return await change(command, io, "POST", `${path}/move`, { from, to, force });
    }
    case "acl test run":
      return await test(command, io);
    case "acl test add": {
      const { from, protocol, expect, force } = command;
      const { node: to, port } = target(command.target, protocol);
      const assertion = { from, to, port, protocol, expect };
      return await change(command, io, "POST", `${path}/assertions`, { assertion, force });
    }
    case "acl test remove":
      return await change(command, io, "DELETE", `${path}/assertions`, { index: command.index });
    case "acl explain": {
      const { from, protocol, address } = command;
      const { node: to, port } = target(command.target, protocol);
      const query = new URLSearchParams({
        from,
        to,
        port: String(port),
        protocol,
        ...(address === undefined ? {} : { address }),
      });
      const answer = await scribeRequest(command, io, "GET", `${path}/explain?${query}`);
      if (command.json) printJson(io, answer);
      else io.stdout(aclExplainText(answer));
      return exitCode.ok;
    }
    case "acl diff add":
      return await diff(command, io, compactBody({ add: rule(command), at: command.at }));
    case "acl diff remove":
      return await diff(command, io, { remove: command.index });
    case "acl diff move":
      return await diff(command, io, { from: command.from, to: command.to });
  }
}

async function list(command: AclCommand, io: CliIo, path: string): Promise<number> {
  const answer = { rules: await requestList(scribeRequest, command, io, path, "rules") };
  if (command.json) printJson(io, answer);
  else io.stdout(aclListText(answer, io.columns));
  return exitCode.ok;
}

/** Exit code 1 when something expected does not hold. */
async function test(command: AclCommand, io: CliIo): Promise<number> {
  const path = "/api/acls/test";
  const answer = { results: await requestList(scribeRequest, command, io, path, "results") };
  const { text, ok } = aclTestText(answer, io.columns);
  if (command.json) printJson(io, answer);
  else io.stdout(text);
  return ok ? exitCode.ok : exitCode.failed;
}

async function diff(command: AclCommand, io: CliIo, body: Json): Promise<number> {
  const answer = await scribeRequest(command, io, "POST", "/api/acls/diff", body);
  if (command.json) printJson(io, answer);
  else io.stdout(aclDiffText(answer, io.columns));
  return exitCode.ok;
}

function rule({ from, to, ports, protocols, deny, comment }: RuleWords): Json {
  // Only so that a mistake is told before anybody is asked.
  if (ports !== undefined) parsePorts(ports);
  return {
    action: deny ? "deny" : "allow",
    from,
    to,
    ports: ports ?? "",
    protocols,
    comment: comment ?? "",
  };
}

/** `node:port`; a node alone for ICMP, which has no ports. @throws {UsageError} */
export function target(text: string, protocol: string): { node: string; port: number } {
  // The last colon: `tag:prod:22` is port 22 of a tag.
  const match = /^(.+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match !== null && port >= 1 && port <= 65_535) return { node: match[1] ?? "", port };
  if (protocol === "icmp" && match === null) return { node: text, port: 0 };
  throw new UsageError(`"${text.slice(0, 80)}" is not a node and a port; write db:5432`);
}
