/** Who asks: the unix socket's owner, an API key of one of two kinds, or somebody without a key. */
export type ApiRole = "local" | "admin" | "read" | "anonymous";

/** Every role, the mightiest first. */
export const apiRoles = ["local", "admin", "read", "anonymous"] as const satisfies ApiRole[];

/** What a caller has proven. */
export interface Caller {
  readonly role: ApiRole;
  /** For audit logs: `local`, `key:<id>@<address>`, `anonymous@<address>`. */
  readonly by: string;
  /** The connection comes from a program on this machine itself, not through a tunnel that ends here. */
  readonly onLoopback: boolean;
}

/** The owner of the unix socket: its mode, 0600, is the proof. */
export const localCaller: Caller = { role: "local", by: "local", onLoopback: true };

/**
 * Who may call a route. `open`: every key, and programs on this machine without one. `read`: every key. `admin`: admin keys.
 * `local`: the unix socket alone, whatever the key.
 */
export type Access = "open" | "read" | "admin" | "local";

/**
 * Access to core's own routes, by method and path as they are registered. Plugins' routes bring their own, and can be at most `read`. A
 * route that is in neither place answers nobody over the network.
 */
export const coreAccess: ReadonlyMap<string, Access> = new Map<string, Access>([
  ["GET /metrics", "open"],
  ["GET /openapi.json", "read"],
  ["GET /api/ping", "read"],
  ["GET /api/status", "read"],
  ["GET /api/health", "read"],
  ["GET /api/exits", "read"],
  ["GET /api/events", "read"],
  ["GET /api/stats", "read"],
  // Who did what is not for everybody who may look at the mesh.
  ["GET /api/audit", "admin"],
  ["GET /api/audit/verify", "admin"],
  // It tries things out instead of only looking.
  ["GET /api/permissions", "admin"],
  // Nobody could start it again from where he is.
  ["POST /api/stop", "local"],
  // A stolen admin key must not be able to make itself successors.
  ["GET /api/api-keys", "local"],
  ["POST /api/api-keys", "local"],
  ["POST /api/api-keys/:id/rotate", "local"],
  ["DELETE /api/api-keys/:id", "local"],
]);

/** `unauthenticated`: come back with a key. `forbidden`: this key is not enough, and no other may be either. */
export type Verdict = "allowed" | "unauthenticated" | "forbidden";

/**
 * The one decision about a route and a caller.
 * @param access undefined for a route without an entry
 */
export function authorise(access: Access | undefined, caller: Caller): Verdict {
  const { role, onLoopback } = caller;
  if (role === "local") return "allowed";
  if (role === "anonymous") {
    return access === "open" && onLoopback ? "allowed" : "unauthenticated";
  }
  if (access === undefined || access === "local") return "forbidden";
  return access === "admin" && role !== "admin" ? "forbidden" : "allowed";
}
