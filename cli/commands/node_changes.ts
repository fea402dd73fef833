import { compactBody } from "../compact_body.ts";
import type { NodeChangeCommand } from "../command_line/control_command.ts";
import type { CliIo } from "../io.ts";
import { change } from "./change.ts";

/** What takes a word away instead of setting it. */
const none = "none";

/** Names, tags, addresses, pins and revocations of single nodes. */
export async function changeNode(command: NodeChangeCommand, io: CliIo): Promise<number> {
  const { node } = command;
  switch (command.command) {
    case "name": {
      const { force } = command;
      const name = command.name === none ? null : command.name;
      return await change(command, io, "PUT", "/api/name", { node, name, force });
    }
    case "tag":
    case "untag": {
      const { tag, force } = command;
      const method = command.command === "tag" ? "POST" : "DELETE";
      return await change(command, io, method, "/api/tags", { node, tag, force });
    }
    case "mesh-ip": {
      const meshIp = command.address === none ? null : command.address;
      return await change(command, io, "PUT", "/api/mesh-ip", { node, meshIp });
    }
    case "pin":
      return await change(command, io, "PUT", "/api/pin", { node, via: command.via });
    case "unpin":
      return await change(command, io, "DELETE", "/api/pin", { node });
    case "revoke": {
      const { reason, force } = command;
      const body = compactBody({ node, reason, force });
      return await change(command, io, "POST", "/api/revoke", body);
    }
    case "unrevoke":
      return await change(command, io, "POST", "/api/unrevoke", { node });
  }
}
