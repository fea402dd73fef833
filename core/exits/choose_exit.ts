import type { NodeId } from "../identity/types.ts";
import type { ExitNode } from "./types.ts";

/** Another exit has to be better by so much: a change of exit ends every connection through it. */
const worthIt = 0.8;

/** The exit with the best score; the one used so far stays while it is nearly as good. Undefined: none can be reached. */
export function chooseExit(
  exits: readonly ExitNode[],
  current: NodeId | undefined,
): NodeId | undefined {
  let best: ExitNode | undefined;
  for (const exit of exits) {
    if (exit.score === null) continue;
    const order = best === undefined
      ? -1
      : exit.score - best.score! || (exit.id < best.id ? -1 : 1);
    if (order < 0) best = exit;
  }
  const kept = exits.find(({ id, score }) => id === current && score !== null);
  return kept !== undefined && best!.score! >= kept.score! * worthIt ? kept.id : best?.id;
}
