import type { ExitsReport, HealthWarning } from "../control/types.ts";

/** What an operator should know of the ways out of the mesh, seen from a node that has joined. */
export function exitWarnings(
  { routes, use, killswitch }: ExitsReport,
  self: string,
): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  const unapproved = routes.filter(({ via, state }) => via === self && state === "unapproved");
  if (unapproved.length > 0) {
    const cidrs = unapproved.slice(0, 4).map(({ cidr }) => cidr).join(", ");
    warnings.push({
      code: "EXIT_UNAPPROVED",
      severity: "warning",
      text: `This node leads nobody to ${cidrs}: the scribe has to say so, with ` +
        `"pulse route approve ${unapproved[0]!.cidr} ${self.slice(0, 8)}"`,
    });
  }
  const wide = ({ cidr }: { readonly cidr: string }) => cidr === "0.0.0.0/0" || cidr === "::/0";
  if (use !== null && !routes.some((route) => wide(route) && route.state === "active")) {
    const who = use === "auto" ? "No exit leads" : `The exit ${use} does not lead`;
    const then = killswitch
      ? "nothing goes there (--exit-killswitch)"
      : "it is reached from this machine itself";
    warnings.push({
      code: "EXIT_UNREACHABLE",
      severity: killswitch ? "error" : "warning",
      text: `${who} to the internet now; ${then}`,
    });
  }
  return warnings;
}
