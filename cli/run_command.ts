import type { Command } from "./command_line/command.ts";
import type { CliIo } from "./io.ts";

/** Runs a command and gives its exit code. Each comes with its own imports, so that none pays for another. */
export async function runCommand(command: Command, io: CliIo): Promise<number> {
  switch (command.command) {
    case "run":
      return await (await import("./commands/run.ts")).run(command, io);
    case "start":
      return await (await import("./commands/start.ts")).start(command, io);
    case "stop":
      return await (await import("./commands/stop.ts")).stop(command, io);
    case "status":
      return await (await import("./commands/status.ts")).status(command, io);
    case "health":
      return await (await import("./commands/health.ts")).health(command, io);
    case "permissions":
      return await (await import("./commands/permissions.ts")).permissions(command, io);
    case "version":
      (await import("./commands/version.ts")).version(io, command.json);
      return 0;
    case "id":
      return await (await import("./commands/id.ts")).id(command, io);
    case "cert":
      return await (await import("./commands/cert.ts")).cert(command, io);
    case "join":
      return await (await import("./commands/join.ts")).join(command, io);
    case "invite":
      return await (await import("./commands/invite.ts")).invite(command, io);
    case "connect":
      return await (await import("./commands/connect.ts")).connect(command, io);
    case "forward":
      return await (await import("./commands/forward.ts")).forward(command, io);
    case "logs":
      return await (await import("./commands/logs.ts")).logs(command, io);
    case "events":
      return await (await import("./commands/events.ts")).events(command, io);
    case "stats":
      return await (await import("./commands/stats.ts")).stats(command, io);
    case "audit":
      return await (await import("./commands/audit.ts")).audit(command, io);
    case "token create":
      return await (await import("./commands/token.ts")).tokenCreate(command, io);
    case "token list":
      return await (await import("./commands/token.ts")).tokenList(command, io);
    case "token revoke":
      return await (await import("./commands/token.ts")).tokenRevoke(command, io);
    case "ca log":
      return await (await import("./commands/ca.ts")).caLog(command, io);
    case "ca nodes":
      return await (await import("./commands/ca.ts")).caNodes(command, io);
    case "ca revoke":
      return await (await import("./commands/ca.ts")).caRevoke(command, io);
    case "ca roles":
      return await (await import("./commands/ca.ts")).caRoles(command, io);
    case "ca grant":
      return await (await import("./commands/ca_grant.ts")).caGrant(command, io);
    case "ca roll":
      return await (await import("./commands/ca_roll.ts")).caRoll(command, io);
    case "ca sign":
      return await (await import("./commands/ca_sign.ts")).caSign(command, io);
    case "name":
    case "tag":
    case "untag":
    case "mesh-ip":
    case "pin":
    case "unpin":
    case "revoke":
    case "unrevoke":
      return await (await import("./commands/node_changes.ts")).changeNode(command, io);
    case "groups":
      return await (await import("./commands/groups.ts")).groups(command, io);
    case "acl list":
    case "acl add":
    case "acl remove":
    case "acl move":
    case "acl test run":
    case "acl test add":
    case "acl test remove":
    case "acl explain":
    case "acl diff add":
    case "acl diff remove":
    case "acl diff move":
      return await (await import("./commands/acl.ts")).acl(command, io);
    case "dns list":
    case "dns add":
    case "dns remove":
      return await (await import("./commands/dns.ts")).dns(command, io);
    case "route list":
    case "route add":
    case "route approve":
    case "route remove":
      return await (await import("./commands/route.ts")).route(command, io);
    case "config show":
    case "config history":
    case "config diff":
    case "config rollback":
    case "config mesh-cidr":
      return await (await import("./commands/config.ts")).config(command, io);
    case "template list":
    case "template set":
    case "template remove":
      return await (await import("./commands/template.ts")).template(command, io);
    case "restart":
    case "remote-config":
    case "bulk":
      return await (await import("./commands/remote.ts")).remote(command, io);
    case "api-key create":
      return await (await import("./commands/api_key.ts")).apiKeyCreate(command, io);
    case "api-key list":
      return await (await import("./commands/api_key.ts")).apiKeyList(command, io);
    case "api-key rotate":
      return await (await import("./commands/api_key.ts")).apiKeyRotate(command, io);
    case "api-key revoke":
      return await (await import("./commands/api_key.ts")).apiKeyRevoke(command, io);
    case "doctor":
      return await (await import("./commands/doctor.ts")).doctor(command, io);
    case "setup dns":
      return await (await import("./commands/setup_dns.ts")).setupDns(command, io);
  }
}
