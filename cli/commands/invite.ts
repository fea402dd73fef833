import { z } from "zod";
import { parseDialable } from "../../core/config/addresses.ts";
import { compactBody } from "../compact_body.ts";
import { tokenRequest } from "../plugin_request.ts";
import type { InviteCommand } from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";

const inviteSchema = z.object({
  code: z.string(),
  network: z.string(),
  relays: z.array(z.string()),
  token: z.object({ id: z.string(), expiresAt: z.string().nullable(), maxUses: z.number() }),
});

/** Prints an invite code: relay addresses, a fresh token and the CA's fingerprint in one text. */
export async function invite(command: InviteCommand, io: CliIo): Promise<number> {
  const { ttl, maxUses, roles, relays, tags, name, ephemeral } = command;
  const some = <T>(list: readonly T[]) => list.length === 0 ? undefined : list;
  const answer = await tokenRequest(
    command,
    io,
    "POST",
    "/api/invite",
    compactBody({
      ttl,
      maxUses,
      roles: some(roles),
      relays: some(relays.map(parseDialable)),
      tags: some(tags),
      name,
      ephemeral,
    }),
  );
  if (command.json) {
    printJson(io, answer);
    return exitCode.ok;
  }
  const made = inviteSchema.parse(answer);
  io.stdout(`${made.code}\n`);
  const uses = made.token.maxUses === 0 ? "any number of nodes" : `${made.token.maxUses} node(s)`;
  io.stderr(
    `for ${uses}, network ${made.network}, through ${made.relays.join(", ")}${
      made.token.expiresAt === null ? "" : `, until ${made.token.expiresAt}`
    }\non the new node: pulse join CODE; whoever has the code can join\n`,
  );
  return exitCode.ok;
}
