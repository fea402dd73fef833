import { z } from "zod";
import { escapeText } from "../../core/log/escape_text.ts";
import { caRequest } from "../plugin_request.ts";
import type { CaRollCommand } from "../command_line/command.ts";
import { printJson } from "../context.ts";
import { exitCode } from "../exit_code.ts";
import type { CliIo } from "../io.ts";
import { UsageError } from "../usage_error.ts";

const statusSchema = z.object({
  stage: z.enum(["none", "overlap", "finished"]),
  ca: z.string(),
  previous: z.string().nullable(),
  at: z.string().nullable(),
  renewed: z.int(),
  waiting: z.int(),
  waitingNodes: z.array(z.string()),
  away: z.int(),
  awayNodes: z.array(z.string()),
});

export type CaRollStatus = z.infer<typeof statusSchema>;

/** Begins a roll of the CA, shows where it stands, or finishes it. */
export async function caRoll(command: CaRollCommand, io: CliIo): Promise<number> {
  const { step, force } = command;
  if (force && step !== "finish") throw new UsageError("--force goes with --finish");
  const answer = step === "finish"
    ? await caRequest(command, io, "POST", "/api/ca/roll/finish", { force })
    : await caRequest(command, io, step === "begin" ? "POST" : "GET", "/api/ca/roll");
  if (command.json) printJson(io, answer);
  else io.stdout(caRollText(statusSchema.parse(answer)));
  return exitCode.ok;
}

/** For people: the stage, the counts, who is behind, and what to do next. */
export function caRollText(status: CaRollStatus): string {
  const { stage, ca, previous, at, renewed, waiting, away } = status;
  const lines = [headline(status), `CA ${ca}`];
  if (previous !== null) lines.push(`before it, and still good, CA ${previous}`);
  if (at !== null) lines.push(`since ${at}`);
  lines.push(`${renewed} with a certificate of this CA`);
  if (stage === "overlap") {
    lines.push(`${waiting} in reach without one`, ...indented(status.waitingNodes, waiting));
    lines.push(
      `${away} away without one: they get it when they come back before the end`,
      ...indented(status.awayNodes, away),
    );
    lines.push(
      waiting === 0
        ? 'when those that are away matter no more: "pulse ca roll --finish"'
        : 'nodes ask for their certificates by themselves: "pulse ca roll --status" again in a while',
    );
  } else if (stage === "finished" && waiting + away > 0) {
    lines.push(
      `${waiting + away} have to join again, with a new invite`,
      ...indented([...status.waitingNodes, ...status.awayNodes], waiting + away),
    );
  }
  return `${lines.map(escapeText).join("\n")}\n`;
}

function headline({ stage }: CaRollStatus): string {
  switch (stage) {
    case "none":
      return "the CA was never rolled";
    case "overlap":
      return "a roll of the CA is going on: both CAs count";
    case "finished":
      return "the roll of the CA is finished: the old CA counts for nothing";
  }
}

/** Nodes named for people. */
const maxNamed = 20;

function indented(nodes: readonly string[], count: number): string[] {
  const named = nodes.slice(0, maxNamed);
  const rest = count - named.length;
  return [...named.map((id) => `  ${id}`), ...(rest > 0 ? [`  and ${rest} more`] : [])];
}
