import type { RouteApproval } from "../../../core/netconfig/types.ts";
import { canonicalCidr } from "./cidr.ts";
import { nodeText } from "./node_entry.ts";
import type { Change } from "./types.ts";

/** Lets a node lead traffic for a range out of the mesh; one approved already is no change. @throws {ScribeError} EXIT_ROUTE_INVALID */
export const approveRoute: Change<RouteApproval> = (body, { cidr: text, via }) => {
  const cidr = canonicalCidr(text);
  if (body.routes.some((route) => route.cidr === cidr && route.via === via)) {
    return { body, note: "route unchanged" };
  }
  return {
    body: { ...body, routes: [...body.routes, { cidr, via }] },
    note: `${cidr} through ${nodeText(body, via)}`,
  };
};
