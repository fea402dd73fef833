import {
  deriveMeshIpv4,
  isMeshHost,
  meshIpv6,
  nextFreeIpv4,
  type NodeCertificate,
  type NodeId,
  type Role,
} from "../../core/identity/mod.ts";
import type { Revocation } from "../../core/netconfig/mod.ts";
import { bytesOf, numberOf, type Row, textOf } from "../../core/storage/mod.ts";
import type { CaDatabase } from "./database.ts";
import { rolesOf } from "./token_store.ts";

export type IssueKind = "join" | "renewal" | "self" | "offline";

/** A certificate the CA issued. */
export interface IssuedRecord {
  readonly serial: string;
  readonly nodeId: NodeId;
  readonly der: Uint8Array;
  readonly kind: IssueKind;
  readonly issuedAt: number;
  readonly notAfter: number;
}

/** A node the CA knows, with its newest certificate. */
export interface NodeRecord {
  readonly id: NodeId;
  readonly meshAddresses: readonly string[];
  readonly roles: readonly Role[];
  readonly serial: string;
  readonly issuedAt: number;
  readonly notAfter: number;
  readonly revoked: { readonly at: number; readonly reason: string } | null;
}

/** Certificates, mesh addresses, roles and revocations. Callers put changes into a transaction. */
export class NodeStore {
  readonly #database: CaDatabase;

  constructor(database: CaDatabase) {
    this.#database = database;
  }

  /**
   * Mesh addresses for a node: the IPv4 it has, else the one it wishes for, else the next free one.
   * @param wish an address from an earlier certificate; without one the address derived from the id
   * @throws {IdentityError} MESH_CIDR_INVALID, MESH_ADDRESSES_EXHAUSTED
   */
  addressesFor(
    id: NodeId,
    network: string,
    cidr: string,
    now: number,
    wish?: string,
  ): [string, string] {
    const ipv6 = meshIpv6(network, id);
    const own = this.#database.first("SELECT mesh_ipv4 FROM nodes WHERE node_id = ?", id);
    if (own !== undefined && isMeshHost(textOf(own, "mesh_ipv4"), cidr)) {
      return [textOf(own, "mesh_ipv4"), ipv6];
    }
    const taken = (address: string) =>
      this.#database.first(
        "SELECT 1 FROM nodes WHERE mesh_ipv4 = ? AND node_id <> ? AND held_until >= ?",
        address,
        id,
        now,
      ) !== undefined;
    const start = wish !== undefined && isMeshHost(wish, cidr) ? wish : deriveMeshIpv4(id, cidr);
    return [nextFreeIpv4(start, cidr, taken), ipv6];
  }

  /** Roles last given to a node; undefined for one never seen. */
  roles(id: NodeId): readonly Role[] | undefined {
    const row = this.#database.first("SELECT roles FROM nodes WHERE node_id = ?", id);
    return row === undefined ? undefined : rolesOf(row);
  }

  /** True when the node is known. */
  setRoles(id: NodeId, roles: readonly Role[]): boolean {
    return this.#database.change(
      "UPDATE nodes SET roles = ? WHERE node_id = ?",
      roles.join(" "),
      id,
    ) === 1;
  }

  /** Writes down a certificate and what it binds. */
  record(
    certificate: NodeCertificate,
    kind: IssueKind,
    tokenId: string | null,
    now: number,
  ): void {
    const { serial, id, der, notAfter, meshAddresses, roles } = certificate;
    this.#database.change(
      `INSERT INTO issued (serial, node_id, der, kind, token_id, issued_at, not_after)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      serial,
      id,
      der,
      kind,
      tokenId,
      now,
      notAfter,
    );
    const [ipv4 = "", ipv6 = ""] = meshAddresses;
    // An address whose holder's certificate has expired was free to be given away.
    this.#database.change("DELETE FROM nodes WHERE mesh_ipv4 = ? AND node_id <> ?", ipv4, id);
    this.#database.change(
      `INSERT INTO nodes (node_id, mesh_ipv4, mesh_ipv6, roles, held_until) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (node_id) DO UPDATE SET mesh_ipv4 = excluded.mesh_ipv4, mesh_ipv6 = excluded.mesh_ipv6,
           roles = excluded.roles, held_until = max(held_until, excluded.held_until)`,
      id,
      ipv4,
      ipv6,
      roles.join(" "),
      notAfter,
    );
  }

  /** The newest certificate of a node. */
  latest(id: NodeId): IssuedRecord | undefined {
    const row = this.#database.first(
      "SELECT * FROM issued WHERE node_id = ? ORDER BY issued_at DESC, rowid DESC LIMIT 1",
      id,
    );
    return row === undefined ? undefined : issued(row);
  }

  /** The newest certificate of every node that is not revoked, where it is valid still. */
  newestCertificates(now: number): { readonly nodeId: NodeId; readonly der: Uint8Array }[] {
    return this.#database.all(
      `SELECT nodes.node_id, issued.der FROM nodes
         JOIN issued ON issued.serial =
           (SELECT serial FROM issued AS i WHERE i.node_id = nodes.node_id
              ORDER BY issued_at DESC, rowid DESC LIMIT 1)
         WHERE issued.not_after > ?
           AND nodes.node_id NOT IN (SELECT node_id FROM revoked)
           AND nodes.node_id NOT IN (SELECT node_id FROM config_revoked)`,
      now,
    ).map((row) => ({ nodeId: textOf(row, "node_id"), der: bytesOf(row, "der") }));
  }

  /** The certificate this key got with this token. */
  byTokenUse(tokenId: string, publicKey: Uint8Array): IssuedRecord | undefined {
    const row = this.#database.first(
      `SELECT issued.* FROM token_uses JOIN issued USING (serial)
         WHERE token_uses.token_id = ? AND public_key = ?`,
      tokenId,
      publicKey,
    );
    return row === undefined ? undefined : issued(row);
  }

  recordTokenUse(tokenId: string, publicKey: Uint8Array, serial: string): void {
    this.#database.change(
      `INSERT INTO token_uses (token_id, public_key, serial) VALUES (?, ?, ?)
         ON CONFLICT (token_id, public_key) DO UPDATE SET serial = excluded.serial`,
      tokenId,
      publicKey,
      serial,
    );
  }

  /** False when it was revoked before. Nothing is ever un-revoked. */
  revoke(id: NodeId, reason: string, now: number): boolean {
    return this.#database.change(
      "INSERT OR IGNORE INTO revoked (node_id, revoked_at, reason) VALUES (?, ?, ?)",
      id,
      now,
      reason,
    ) === 1;
  }

  /** By the CA's operator, or by the network config. */
  isRevoked(id: NodeId): boolean {
    return this.#database.first(
      "SELECT 1 FROM revoked WHERE node_id = ? UNION ALL SELECT 1 FROM config_revoked WHERE node_id = ?",
      id,
      id,
    ) !== undefined;
  }

  /** Makes the network config's revocations exactly these. */
  setConfigRevoked(revocations: readonly Revocation[]): { added: NodeId[]; removed: NodeId[] } {
    const before = new Set(
      this.#database.all("SELECT node_id FROM config_revoked").map((row) => textOf(row, "node_id")),
    );
    const after = new Set(revocations.map(({ node }) => node));
    const removed = [...before.difference(after)];
    for (const id of removed) {
      this.#database.change("DELETE FROM config_revoked WHERE node_id = ?", id);
    }
    for (const { node, at, reason } of revocations) {
      if (before.has(node)) continue;
      this.#database.change(
        "INSERT INTO config_revoked (node_id, revoked_at, reason) VALUES (?, ?, ?)",
        node,
        at,
        reason,
      );
    }
    return { added: [...after.difference(before)], removed };
  }

  /** Whether it has a certificate by the master token, or by being the CA's own node. */
  isTrusted(id: NodeId): boolean {
    return this.#database.first(
      `SELECT 1 FROM issued LEFT JOIN tokens ON tokens.id = issued.token_id
         WHERE node_id = ? AND (kind = 'self' OR tokens.master = 1)`,
      id,
    ) !== undefined;
  }

  /** By the CA's operator: for good. */
  revokedIds(): NodeId[] {
    return this.#database.all("SELECT node_id FROM revoked ORDER BY revoked_at")
      .map((row) => textOf(row, "node_id"));
  }

  /** Newest certificate first. */
  list(limit: number): NodeRecord[] {
    return this.#database.all(
      `SELECT nodes.*, issued.serial, issued.issued_at, issued.not_after,
              coalesce(revoked.revoked_at, config_revoked.revoked_at) AS revoked_at,
              coalesce(revoked.reason, config_revoked.reason) AS reason
         FROM nodes
         JOIN issued ON issued.serial =
           (SELECT serial FROM issued AS i WHERE i.node_id = nodes.node_id
              ORDER BY issued_at DESC, rowid DESC LIMIT 1)
         LEFT JOIN revoked ON revoked.node_id = nodes.node_id
         LEFT JOIN config_revoked ON config_revoked.node_id = nodes.node_id
         ORDER BY issued.issued_at DESC LIMIT ?`,
      limit,
    ).map((row) => ({
      id: textOf(row, "node_id"),
      meshAddresses: [textOf(row, "mesh_ipv4"), textOf(row, "mesh_ipv6")],
      roles: rolesOf(row),
      serial: textOf(row, "serial"),
      issuedAt: numberOf(row, "issued_at"),
      notAfter: numberOf(row, "not_after"),
      revoked: row["revoked_at"] === null
        ? null
        : { at: numberOf(row, "revoked_at"), reason: textOf(row, "reason") },
    }));
  }
}

function issued(row: Row): IssuedRecord {
  return {
    serial: textOf(row, "serial"),
    nodeId: textOf(row, "node_id"),
    der: bytesOf(row, "der"),
    kind: textOf(row, "kind") as IssueKind,
    issuedAt: numberOf(row, "issued_at"),
    notAfter: numberOf(row, "not_after"),
  };
}
