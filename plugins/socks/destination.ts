import { isIP } from "node:net";
import { formatHostPort } from "../../core/address/mod.ts";
import type { SocksRequest } from "./socks_protocol.ts";

/** Where a request leads. */
export type Destination =
  /** A node as the user wrote it (id, prefix or name) and what to dial there, `host:port` as that node sees it. */
  | { readonly kind: "mesh"; readonly node: string; readonly target: string }
  /** An address, which may be a node's mesh address. */
  | { readonly kind: "address" }
  /** A name outside the mesh. */
  | { readonly kind: "name" };

/**
 * Reads `<node>.pulse` and `<host>.<node>.pulse`, in any case: the last label before `.pulse` names the node, what stands
 * before it is a host at the far side, and nothing before it means the far node itself.
 */
export function destinationOf({ host, port }: SocksRequest): Destination {
  if (isIP(host) !== 0) return { kind: "address" };
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  const top = labels.pop();
  const node = labels.pop();
  if (top !== "pulse" || node === undefined || node === "") return { kind: "name" };
  return { kind: "mesh", node, target: meshTarget(labels.join("."), port) };
}

/** `host:port` at a node; no host means the node itself. */
export function meshTarget(host: string, port: number): string {
  return formatHostPort({ host: host === "" ? "localhost" : host, port });
}
