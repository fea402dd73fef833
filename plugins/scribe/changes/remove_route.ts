import type { NodeId } from "../../../core/identity/types.ts";
import { ScribeError } from "../errors.ts";
import { canonicalCidr } from "./cidr.ts";
import type { Change } from "./types.ts";

/**
 * Takes the approval of a range back, from one node or from all.
 * @throws {ScribeError} EXIT_ROUTE_UNKNOWN, EXIT_ROUTE_INVALID
 */
export const removeRoute: Change<{ readonly cidr: string; readonly via?: NodeId }> = (
  body,
  argument,
) => {
  const cidr = canonicalCidr(argument.cidr);
  const { via } = argument;
  const kept = body.routes.filter((route) =>
    route.cidr !== cidr || (via !== undefined && route.via !== via)
  );
  if (kept.length === body.routes.length) {
    const through = via === undefined ? "" : ` through ${via}`;
    throw new ScribeError("EXIT_ROUTE_UNKNOWN", `no route for ${cidr}${through} is approved`, {
      cidr,
    });
  }
  return { body: { ...body, routes: kept }, note: `${cidr} is no longer approved` };
};
