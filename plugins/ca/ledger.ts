import {
  CertificateError,
  IdentityError,
  type NodeCertificate,
  type NodeId,
  nodeIdFromPublicKey,
  type Role,
  type TrustAnchor,
  verifyCsr,
} from "../../core/identity/mod.ts";
import { type TokenEntry } from "../../core/netconfig/mod.ts";
import { type AuditFields, AuditLog, type AuditType } from "./audit_log.ts";
import { Authorities } from "./authorities.ts";
import { Authority } from "./authority.ts";
import { ConfigTokens, type TokenChanges } from "./config_tokens.ts";
import { CaDatabase } from "./database.ts";
import { CaError, JoinRefusal } from "./errors.ts";
import { type GrantRecord, GrantStore } from "./grant_store.ts";
import {
  auditFields,
  Issuing,
  type JoinGrant,
  type LedgerSettings,
  refuseRevoked,
} from "./issuing.ts";
import { JoinedOutbox } from "./joined_outbox.ts";
import { NodeStore } from "./node_store.ts";
import { RateLimit } from "./rate_limit.ts";
import { type RollRecord, RollStore } from "./roll_store.ts";
import { type FollowedConfig, type GrantBasis, ScribeGranting } from "./scribe_granting.ts";
import { type NewToken, type TokenRecord, TokenStore } from "./token_store.ts";

/** Ids of one kind that one audit entry names. */
const maxListed = 100;

/** Refusals written to the audit log: this many at once, then six a minute; the rest is counted in the next entry. */
const refusalBurst = 200;
const refusalsPerSecond = 0.1;

/**
 * What the CA has promised, and the only place where it promises anything. Every operation is one durable transaction that holds the
 * decision, its consequence and its audit entry: a token use and its certificate exist together or not at all.
 */
export class Ledger implements Disposable {
  readonly tokens: TokenStore;
  readonly nodes: NodeStore;
  readonly audit: AuditLog;
  readonly grants: GrantStore;
  readonly configTokens: ConfigTokens;
  readonly outbox: JoinedOutbox;
  readonly #database: CaDatabase;
  readonly rolls: RollStore;
  readonly #authorities: Authorities;
  readonly #settings: LedgerSettings;
  readonly #granting: ScribeGranting;
  readonly #issuing: Issuing;
  readonly #refusals = new RateLimit(refusalBurst, refusalsPerSecond, 0);
  #suppressed = 0;

  private constructor(database: CaDatabase, authorities: Authorities, settings: LedgerSettings) {
    this.#database = database;
    this.#authorities = authorities;
    this.rolls = new RollStore(database);
    this.#settings = settings;
    this.tokens = new TokenStore(database);
    this.nodes = new NodeStore(database);
    this.audit = new AuditLog(database);
    this.grants = new GrantStore(database);
    this.configTokens = new ConfigTokens(database);
    this.outbox = new JoinedOutbox(database);
    this.#granting = new ScribeGranting({
      database,
      settings,
      authorities,
      nodes: this.nodes,
      grants: this.grants,
      configTokens: this.configTokens,
      audit: this.audit,
    });
    this.#issuing = new Issuing({
      settings,
      meshCidr: () => this.meshCidr,
      authorities,
      nodes: this.nodes,
      tokens: this.tokens,
      configTokens: this.configTokens,
      outbox: this.outbox,
      audit: this.audit,
      mayRepeat: (now) => this.#refusals.take(now),
    });
  }

  /** @throws {CaError} CA_LEDGER_UNREADABLE, CA_NETWORK */
  static open(
    path: string,
    authorities: Authorities | Authority,
    settings: LedgerSettings,
    now: number,
  ): Ledger {
    const database = CaDatabase.open(path);
    try {
      const all = authorities instanceof Authority ? new Authorities(authorities) : authorities;
      const ledger = new Ledger(database, all, settings);
      database.transaction(() => ledger.#claim(now));
      return ledger;
    } catch (error) {
      database[Symbol.dispose]();
      throw error;
    }
  }

  /** Network this CA's ledger belongs to; undefined for a directory without one. */
  static networkOf(path: string): string | undefined {
    using database = CaDatabase.open(path);
    return database.meta("network");
  }

  /**
   * A certificate for a node that proved to know the token. The same key asking again with the same token gets the same certificate,
   * whether or not it ever saw the first answer, and no use is counted twice.
   * @throws {JoinRefusal} with the reason for the node
   * @throws {CaError} CA_LEDGER_WRITE
   */
  join(grant: JoinGrant, now: number): Uint8Array {
    const node = nodeIdFromPublicKey(grant.publicKey);
    const context = { node, token: grant.tokenId, via: grant.via };
    return this.#orRefuse("join_refused", context, now, () => this.#issuing.join(grant, node, now));
  }

  /**
   * A new certificate for a node that proved to hold the current one. Address and roles carry over.
   * @throws {JoinRefusal}
   * @throws {CaError} CA_LEDGER_WRITE
   */
  renew(origin: NodeCertificate, csr: Uint8Array, now: number): Uint8Array {
    const context = { node: origin.id, serial: origin.serial };
    return this.#orRefuse(
      "renewal_refused",
      context,
      now,
      () => this.#issuing.renew(origin, csr, now),
    );
  }

  /**
   * A certificate on the say-so of whoever controls this machine: for the daemon beside the CA (`self`) and for `pulse ca sign` (`offline`).
   * @throws {JoinRefusal} revoked
   * @throws {CertificateError} CERT_REQUEST
   */
  issueLocally(
    kind: "self" | "offline",
    csr: Uint8Array,
    roles: readonly Role[],
    now: number,
  ): NodeCertificate {
    return this.#database.transaction(() => {
      const { id } = verifyCsr(csr);
      refuseRevoked(this.nodes, id);
      const certificate = this.#issuing.issue(csr, roles, now, kind, null);
      this.audit.append("certificate_issued", auditFields(certificate, { kind }), now);
      return certificate;
    });
  }

  /** @throws {CaError} TOKEN_EXISTS, TOKEN_LIMIT */
  createToken(token: NewToken, now: number): TokenRecord {
    return this.#database.transaction(() => {
      const record = this.tokens.add(token, now);
      const { id, maxUses, roles, expiresAt } = record;
      const expires = expiresAt === null ? "never" : new Date(expiresAt).toISOString();
      this.audit.append("token_created", { token: id, maxUses, roles, expires }, now);
      return record;
    });
  }

  /** @throws {CaError} TOKEN_UNKNOWN, TOKEN_AMBIGUOUS, TOKEN_MASTER */
  revokeToken(prefix: string, now: number): TokenRecord {
    return this.#database.transaction(() => {
      const record = this.tokens.revoke(prefix, now);
      this.audit.append("token_revoked", { token: record.id }, now);
      return record;
    });
  }

  /** The token of the configuration, or none. */
  setMasterToken(token: Pick<NewToken, "id" | "macKey"> | null, now: number): void {
    this.#database.transaction(() => {
      if (!this.tokens.setMaster(token, now)) return;
      if (token === null) this.audit.append("token_revoked", { token: "master" }, now);
      else this.audit.append("token_created", { token: token.id, kind: "master" }, now);
    });
  }

  /** False when it was revoked before. */
  revokeNode(id: NodeId, reason: string, now: number): boolean {
    return this.#database.transaction(() => {
      if (!this.nodes.revoke(id, reason, now)) return false;
      this.audit.append("node_revoked", { node: id, reason }, now);
      return true;
    });
  }

  /**
   * Roles in the node's next certificate.
   * @throws {CaError} CA_NODE_UNKNOWN
   */
  setRoles(id: NodeId, roles: readonly Role[], now: number): void {
    this.#database.transaction(() => {
      if (!this.nodes.setRoles(id, roles)) {
        throw new CaError("CA_NODE_UNKNOWN", `this CA has issued no certificate to node ${id}`);
      }
      this.audit.append("roles_changed", { node: id, roles }, now);
    });
  }

  /**
   * The scribe's role for a node, or for nobody, in the next epoch.
   * @throws {JoinRefusal} the node is revoked
   */
  grantScribe(scribe: NodeId | null, basis: GrantBasis, now: number): GrantRecord {
    return this.#database.transaction(() => this.#granting.grant(scribe, basis, now));
  }

  /**
   * The first grant of all, for a node that asks. Asking again is answered with the same grant.
   * @throws {JoinRefusal} with the reason for the node
   */
  requestScribe(node: NodeId, basis: GrantBasis, now: number): GrantRecord {
    try {
      return this.#database.transaction(() => this.#granting.request(node, basis, now));
    } catch (error) {
      if (error instanceof JoinRefusal) {
        this.recordRefusal("scribe_refused", { node, reason: error.message }, now);
      }
      throw error;
    }
  }

  /**
   * Takes over what the network config says of tokens, revocations and the range of addresses: all of it, or on a failure nothing. Undefined: a newer one has been
   * followed before, or there is none.
   */
  followConfig(
    config: FollowedConfig,
    unseal: (entry: TokenEntry) => Uint8Array | undefined,
    now: number,
  ): TokenChanges | undefined {
    return this.#database.transaction(() => this.#granting.follow(config, unseal, now));
  }

  /** The range addresses come from: the network config's once there is one. */
  get meshCidr(): string {
    return this.#granting.meshCidr;
  }

  /** The CA that issues certificates; the one before it too while a roll is going on. */
  get authorities(): Authorities {
    return this.#authorities;
  }

  /** The CA that a node with this token expects: its invite names the one there was when it was made. */
  anchorFor(tokenId: string, now: number): TrustAnchor {
    const { newest, previous } = this.#authorities;
    // One that has expired issues nothing any more, whatever an invite names.
    const usable = previous !== undefined && previous.anchor.notAfter > now;
    return (usable && this.rolls.isOldToken(tokenId) ? previous : newest).anchor;
  }

  /**
   * From now on the successor issues, and both count.
   * @param generation number of the successor
   * @throws {CaError} CA_ROLL_GOING_ON
   */
  beginRoll(successor: Authority, generation: number, now: number): RollRecord {
    const { newest, previous } = this.#authorities;
    if (previous !== undefined) {
      throw new CaError(
        "CA_ROLL_GOING_ON",
        "a roll of the CA is going on already: finish it first",
      );
    }
    const record = this.#database.transaction(() => {
      const record = this.#addRoll(newest, successor, "overlap", generation, now);
      this.rolls.markTokens();
      this.audit.append("ca_roll_started", rollFields(newest, successor, record), now);
      return record;
    });
    this.#authorities.begin(successor);
    return record;
  }

  /**
   * From now on the CA before the newest counts for nothing. What the scribe has published under it is vouched for by a grant of the new one.
   * @param left nodes that have no certificate of the new CA
   * @throws {CaError} CA_ROLL_NONE
   */
  finishRoll(basis: GrantBasis, left: readonly NodeId[], now: number): RollRecord {
    const { newest, previous } = this.#authorities;
    const begun = this.rolls.latest();
    if (previous === undefined || begun === undefined) {
      throw new CaError("CA_ROLL_NONE", "no roll of the CA is going on");
    }
    const record = this.#database.transaction(() => {
      const record = this.#addRoll(previous, newest, "finished", begun.generation, now);
      this.rolls.forgetTokens();
      const fields = { ...rollFields(previous, newest, record), left: left.slice(0, maxListed) };
      this.audit.append("ca_roll_finished", fields, now);
      const granted = this.grants.latest();
      if (granted !== undefined) {
        const { scribe } = granted;
        const stays = scribe !== null && !this.nodes.isRevoked(scribe);
        this.#granting.grant(stays ? scribe : null, basis, now);
      }
      return record;
    });
    this.#authorities.finish();
    return record;
  }

  /** Writes down that somebody did not get what he asked for; beyond a rate it is only counted. */
  recordRefusal(type: AuditType, fields: AuditFields, now: number): void {
    if (!this.#refusals.take(now)) {
      this.#suppressed++;
      return;
    }
    const suppressed = this.#suppressed === 0 ? {} : { suppressed: this.#suppressed };
    this.#database.transaction(() => this.audit.append(type, { ...fields, ...suppressed }, now));
    this.#suppressed = 0;
  }

  [Symbol.dispose](): void {
    this.#database[Symbol.dispose]();
  }

  #claim(now: number): void {
    const { network } = this.#settings;
    const known = this.#database.meta("network");
    if (known !== undefined && known !== network) {
      throw new CaError(
        "CA_NETWORK",
        `this CA serves network "${known}", the configuration says "${network}": use another data directory for another network`,
        { known, network },
      );
    }
    if (known !== undefined) return;
    this.#database.setMeta("network", network);
    const ca = this.#authorities.newest.anchor.fingerprint;
    this.audit.append("ca_opened", { network, ca }, now);
  }

  #addRoll(
    from: Authority,
    to: Authority,
    stage: RollRecord["stage"],
    generation: number,
    now: number,
  ): RollRecord {
    const { network } = this.#settings;
    const serial = (this.rolls.latest()?.serial ?? 0) + 1;
    const bytes = from.roll({ network, serial, stage, issuedAt: now }, to);
    const record = { serial, stage, generation, bytes, at: now };
    this.rolls.add(record);
    return record;
  }

  /** One transaction; a refusal undoes it and is written down by itself. */
  #orRefuse(
    type: "join_refused" | "renewal_refused",
    context: AuditFields,
    now: number,
    work: () => Uint8Array,
  ): Uint8Array {
    try {
      return this.#database.transaction(work);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal === undefined) throw error;
      this.recordRefusal(type, { ...context, reason: refusal.message }, now);
      throw refusal;
    }
  }
}

/** Errors that are about what was asked for; anything else is the CA's own trouble. */
function asRefusal(error: unknown): JoinRefusal | undefined {
  if (error instanceof JoinRefusal) return error;
  if (error instanceof CertificateError || error instanceof IdentityError) {
    return new JoinRefusal(error.message.slice(0, 400), { code: error.code });
  }
  return undefined;
}

function rollFields(from: Authority, to: Authority, { serial }: RollRecord): AuditFields {
  return { from: from.anchor.fingerprint, to: to.anchor.fingerprint, serial };
}
