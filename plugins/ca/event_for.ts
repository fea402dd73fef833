import type { Json } from "../../core/plugin/types.ts";
import type { AuditFields, AuditType } from "./audit_log.ts";

/** Types of the node's events for what the CA wrote down. Revoking tells the node itself, which acts on it. */
const eventTypes: Readonly<Partial<Record<AuditType, string>>> = {
  certificate_issued: "cert_issued",
  certificate_renewed: "cert_issued",
  join_refused: "join_failed",
  join_abandoned: "join_failed",
  renewal_refused: "cert_renew_failed",
  token_created: "token_created",
  token_revoked: "token_revoked",
  roles_changed: "roles_changed",
};

/** The event an audit entry is worth, undefined for none. */
export function eventFor(
  type: AuditType,
  fields: AuditFields,
): { type: string; fields: { readonly [key: string]: Json | undefined } } | undefined {
  const event = eventTypes[type];
  if (event === undefined) return undefined;
  // A token's id is no secret, but what is called a token looks like one.
  const { reason, token, ...rest } = fields;
  return {
    type: event,
    fields: {
      ...rest,
      ...(reason !== undefined && { error: reason }),
      ...(token !== undefined && { tokenId: token }),
      ...(type === "certificate_renewed" && { kind: "renewal" }),
    },
  };
}
