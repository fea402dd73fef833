import type { ConfigStatus } from "../control/types.ts";
import { type ConfigState, noPosition, positionText } from "../netconfig/mod.ts";

/** What an operator should know about the network config here. */
export interface ConfigProblem {
  readonly code: "CONFIG_UNVERIFIED" | "CONFIG_ROLLED_BACK" | "CONFIG_FORKED";
  readonly text: string;
}

/** Everything that is wrong, the gravest first. */
export function configProblems(state: ConfigState): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const at = positionText(state.config?.document ?? noPosition);
  if (state.fork !== null) {
    const { what, position, kept, other } = state.fork;
    const text = what === "grant"
      ? `The CA has signed two grants of epoch ${position.epoch}; grant the role to the scribe again`
      : `The scribe has signed two network configs ${positionText(position)} (${
        kept.slice(0, 12)
      } ` +
        `is in force here, there is also ${other.slice(0, 12)}); any further change ends this`;
    problems.push({ code: "CONFIG_FORKED", text });
  }
  if (state.rolledBack) {
    problems.push({
      code: "CONFIG_ROLLED_BACK",
      text:
        `The network config on this node's disk was older than the one it had; in force is ${at}. Was an old backup restored?`,
    });
  }
  if (state.refused !== null && state.refused.code !== "NETCONFIG_FORKED") {
    problems.push({
      code: "CONFIG_UNVERIFIED",
      text: `A network config was refused, ${at} stays in force: ${state.refused.message}`,
    });
  }
  return problems;
}

/** All of it in one line; null when all is well. */
export function configProblem(state: ConfigState): string | null {
  const problems = configProblems(state);
  return problems.length === 0 ? null : problems.map(({ text }) => text).join("; ");
}

export function configStatus(state: ConfigState): ConfigStatus {
  const { config, grant } = state;
  const { epoch, version } = config?.document ?? noPosition;
  return {
    epoch,
    version,
    hash: config?.hash ?? "",
    note: config?.document.note ?? "",
    scribe: grant?.grant.scribe ?? null,
    grantEpoch: grant?.grant.epoch ?? 0,
    problem: configProblem(state),
  };
}
