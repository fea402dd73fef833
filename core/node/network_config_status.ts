import type { ConfigStatus } from "../control/types.ts";
import type { NodeId } from "../identity/types.ts";
import { type ConfigState, type Fork, noPosition, positionText } from "../netconfig/mod.ts";

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
    problems.push({ code: "CONFIG_FORKED", text: forkText(state.fork, state.grant?.grant.scribe) });
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

function forkText({ what, position, kept, other }: Fork, scribe: NodeId | null = null): string {
  const at = positionText(position);
  const [here, there] = [kept.slice(0, 12), other.slice(0, 12)];
  switch (what) {
    case "grant":
      return `The CA has signed two grants of epoch ${position.epoch}; grant the role to the scribe again`;
    case "config":
      return `The scribe has signed two network configs ${at} (${here} is the one known here, there is also ${there}); any further change ends this`;
    case "parent":
      return `The scribe has signed two network configs ${at}: ${here} was in force here, what is in force now continues ${there}. Look at what changed; any further change ends this`;
    case "role":
      return `This node has published network config ${at} while the CA had made ${
        scribe ?? "nobody"
      } the scribe: it holds nowhere else. Make its changes again at the scribe`;
  }
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
