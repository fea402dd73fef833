import { canonicalMeshCidr, type NodeId } from "../../core/identity/mod.ts";
import {
  comparePositions,
  type ConfigBody,
  type ConfigPosition,
  positionText,
  type TokenEntry,
} from "../../core/netconfig/mod.ts";
import type { AuditLog } from "./audit_log.ts";
import type { Authorities } from "./authorities.ts";
import type { ConfigTokens, TokenChanges } from "./config_tokens.ts";
import type { CaDatabase } from "./database.ts";
import { JoinRefusal } from "./errors.ts";
import type { GrantRecord, GrantStore } from "./grant_store.ts";
import { type LedgerSettings, refuseRevoked } from "./issuing.ts";
import type { NodeStore } from "./node_store.ts";

/** What the CA's node holds when a grant is made. */
export interface GrantBasis extends ConfigPosition {
  readonly hash: string;
  /** Of the highest grant seen. */
  readonly grantEpoch: number;
  /** Public sealing key, hex. */
  readonly sealKey: string;
}

/** A network config in force, as far as it concerns the CA. */
export interface FollowedConfig extends ConfigPosition {
  readonly body: Pick<ConfigBody, "tokens" | "revoked" | "meshCidr">;
  /** The CA's own node. */
  readonly self: NodeId;
}

const followedKey = "followed_config";
const meshCidrKey = "mesh_cidr";
/** Ids of one kind that one audit entry names. */
const maxListed = 100;

export interface ScribeGrantingBooks {
  readonly database: CaDatabase;
  readonly settings: LedgerSettings;
  readonly authorities: Authorities;
  readonly nodes: NodeStore;
  readonly grants: GrantStore;
  readonly configTokens: ConfigTokens;
  readonly audit: AuditLog;
}

/** Who is the scribe, and what the CA takes from what the scribe publishes. Every call is part of a transaction of the ledger. */
export class ScribeGranting {
  readonly #books: ScribeGrantingBooks;

  constructor(books: ScribeGrantingBooks) {
    this.#books = books;
  }

  /** The range addresses come from: the network config's once there is one. */
  get meshCidr(): string {
    return this.#books.database.meta(meshCidrKey) ?? this.#books.settings.meshCidr;
  }

  /** The role for a node, or for nobody, in the next epoch. @throws {JoinRefusal} */
  grant(scribe: NodeId | null, basis: GrantBasis, now: number): GrantRecord {
    if (scribe !== null) refuseRevoked(this.#books.nodes, scribe);
    const { epoch: at, version, hash, sealKey } = basis;
    // A ledger from a backup must not give an epoch out twice.
    const epoch = Math.max(this.#books.grants.latest()?.epoch ?? 0, basis.grantEpoch) + 1;
    const bytes = this.#books.authorities.newest.grant({
      network: this.#books.settings.network,
      epoch,
      scribe,
      sealKey,
      issuedAt: now,
      base: version === 0 ? null : { epoch: at, version, hash },
      meshCidr: canonicalMeshCidr(this.meshCidr),
    });
    const record = { epoch, scribe, bytes, issuedAt: now };
    this.#books.grants.add(record);
    const base = version === 0 ? "none" : positionText({ epoch: at, version });
    this.#books.audit.append("scribe_granted", { node: scribe ?? "nobody", epoch, base }, now);
    return record;
  }

  /** The first grant of all, for a node that asks; asking again is answered with the same one. @throws {JoinRefusal} */
  request(node: NodeId, basis: GrantBasis, now: number): GrantRecord {
    refuseRevoked(this.#books.nodes, node);
    const latest = this.#books.grants.latest();
    if (latest?.scribe === node) return latest;
    const how = `the CA's operator can grant it with "pulse ca grant scribe ${node}"`;
    if (latest !== undefined || basis.grantEpoch > 0) {
      const scribe = latest?.scribe ?? null;
      const why = scribe === null ? "the role was taken away" : `node ${scribe} is the scribe`;
      throw new JoinRefusal(`${why}: ${how}`);
    }
    if (!this.#books.nodes.isTrusted(node) && !this.#books.nodes.roles(node)?.includes("scribe")) {
      throw new JoinRefusal(`the node did not join with the master token: ${how}`);
    }
    return this.grant(node, basis, now);
  }

  /** Takes over tokens, revocations and the range. Undefined: a newer config has been followed before, or there is none. */
  follow(
    config: FollowedConfig,
    unseal: (entry: TokenEntry) => Uint8Array | undefined,
    now: number,
  ): TokenChanges | undefined {
    if (comparePositions(config, this.#followed()) < 0 || config.version === 0) return undefined;
    const { body, self } = config;
    const tokens = this.#books.configTokens.replace(body.tokens, unseal, now);
    // A CA that refused its own node could undo nothing any more.
    const { added, removed } = this.#books.nodes.setConfigRevoked(
      body.revoked.filter(({ node }) => node !== self),
    );
    const at = positionText(config);
    const { meshCidr } = body;
    const isMoved = meshCidr !== canonicalMeshCidr(this.meshCidr);
    this.#books.database.setMeta(meshCidrKey, meshCidr);
    if (
      isMoved || tokens.added.length + tokens.gone.length + added.length + removed.length > 0
    ) {
      const fields = {
        config: at,
        tokens: tokens.added.slice(0, maxListed),
        withdrawn: tokens.gone.slice(0, maxListed),
        revoked: added.slice(0, maxListed),
        unrevoked: removed.slice(0, maxListed),
        ...isMoved ? { meshCidr } : {},
      };
      this.#books.audit.append("config_followed", fields, now);
    }
    this.#books.database.setMeta(followedKey, at);
    return tokens;
  }

  #followed(): ConfigPosition {
    const [epoch = 0, version = 0] = (this.#books.database.meta(followedKey) ?? "").split(".").map(
      Number,
    );
    return { epoch, version };
  }
}
