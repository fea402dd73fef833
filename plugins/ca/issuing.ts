import {
  type NodeCertificate,
  type NodeId,
  type Role,
  validateCertificate,
  verifyCsr,
} from "../../core/identity/mod.ts";
import type { AuditFields, AuditLog } from "./audit_log.ts";
import type { Authorities } from "./authorities.ts";
import type { Authority } from "./authority.ts";
import type { ConfigTokens } from "./config_tokens.ts";
import { JoinRefusal } from "./errors.ts";
import type { JoinedOutbox } from "./joined_outbox.ts";
import type { IssueKind, NodeStore } from "./node_store.ts";
import type { TokenStore } from "./token_store.ts";

export interface LedgerSettings {
  readonly network: string;
  /** What the network begins with. */
  readonly meshCidr: string;
  /** Lifetime of node certificates in days. */
  readonly days: number;
}

export interface JoinGrant {
  readonly tokenId: string;
  /** Raw key the conversation began with. */
  readonly publicKey: Uint8Array;
  readonly csr: Uint8Array;
  /** Where the request came from, for the audit log. */
  readonly via: string;
  /** Fingerprint of the CA the node was shown. @default the newest */
  readonly ca?: string;
}

/** Asking again this soon gives the same certificate again: an answer that was lost costs nothing. */
const repeatRenewalMs = 3600_000;

/** What certificates are issued by. */
export interface IssuingBooks {
  readonly settings: LedgerSettings;
  /** The range addresses come from. */
  meshCidr(): string;
  readonly authorities: Authorities;
  readonly nodes: NodeStore;
  readonly tokens: TokenStore;
  readonly configTokens: ConfigTokens;
  readonly outbox: JoinedOutbox;
  readonly audit: AuditLog;
  /** Whether an answer that is given again is written down again. */
  mayRepeat(now: number): boolean;
}

/** Who gets a certificate, and which one. Every call is part of a transaction of the ledger. */
export class Issuing {
  readonly #books: IssuingBooks;

  constructor(books: IssuingBooks) {
    this.#books = books;
  }

  /** For a node that proved to know a token. @throws {JoinRefusal} */
  join(grant: JoinGrant, node: NodeId, now: number): Uint8Array {
    refuseRevoked(this.#books.nodes, node);
    const authority = this.#authorityOf(grant.ca);
    const known = this.#books.nodes.byTokenUse(grant.tokenId, grant.publicKey);
    // A certificate of another CA than the node was shown would be of no use to it.
    const earlier = known && authority.issued(known.der) ? known : undefined;
    if (earlier !== undefined && earlier.notAfter > now) {
      const life = earlier.notAfter - earlier.issuedAt;
      // Near its end a new certificate is better, when the token has a use left for it.
      const wornOut = earlier.notAfter - now < life / 10;
      if (!wornOut || !this.#books.tokens.consume(grant.tokenId, now)) {
        const fields = { node, serial: earlier.serial, token: grant.tokenId, via: grant.via };
        if (this.#books.mayRepeat(now)) {
          this.#books.audit.append("certificate_repeated", fields, now);
        }
        return earlier.der;
      }
    } else if (!this.#books.tokens.consume(grant.tokenId, now)) {
      throw this.#whyNot(grant.tokenId, now);
    }
    const { csr, publicKey, tokenId, via } = grant;
    const granted = [
      ...this.#books.nodes.roles(node) ?? [],
      ...this.#books.tokens.find(tokenId, now)?.roles ?? [],
    ].filter((role) => role !== "ca");
    const certificate = this.issue(csr, [...new Set(granted)], now, "join", tokenId, publicKey, {
      authority,
    });
    this.#books.nodes.recordTokenUse(tokenId, publicKey, certificate.serial);
    if (this.#books.configTokens.has(tokenId)) this.#books.outbox.add(node, tokenId, now);
    const fields = auditFields(certificate, { kind: "join", token: tokenId, via });
    this.#books.audit.append("certificate_issued", fields, now);
    return certificate.der;
  }

  /** For a node that holds a certificate. @throws {JoinRefusal}; {CertificateError} */
  renew(origin: NodeCertificate, csr: Uint8Array, now: number): Uint8Array {
    const { network } = this.#books.settings;
    // The host has checked it already; a CA does not sign on somebody else's word.
    const { trust, newest } = this.#books.authorities;
    const current = validateCertificate(origin.der, trust, { now, network });
    refuseRevoked(this.#books.nodes, current.id);
    const roles = this.#books.nodes.roles(current.id) ?? current.roles;
    const latest = this.#books.nodes.latest(current.id);
    if (latest !== undefined && newest.issued(latest.der)) {
      const life = latest.notAfter - latest.issuedAt;
      const fresh = now - latest.issuedAt < Math.min(repeatRenewalMs, life / 10);
      const same = validateCertificate(latest.der, newest.anchor, { now, ignoreDates: true });
      const addresses = this.#books.nodes.addressesFor(
        current.id,
        network,
        this.#books.meshCidr(),
        now,
      );
      if (
        fresh && same.roles.join() === roles.join() &&
        same.meshAddresses.join() === addresses.join()
      ) {
        verifyCsr(csr);
        return latest.der;
      }
    }
    const certificate = this.issue(csr, roles, now, "renewal", null, current.publicKey, {
      wish: current.meshAddresses[0],
    });
    this.#books.audit.append(
      "certificate_renewed",
      auditFields(certificate, { replaces: current.serial }),
      now,
    );
    return certificate.der;
  }

  /** One more for a key, and written down as the node's latest. @throws {CertificateError} CERT_REQUEST */
  issue(
    csr: Uint8Array,
    roles: readonly Role[],
    now: number,
    kind: IssueKind,
    tokenId: string | null,
    publicKey?: Uint8Array,
    options: { readonly wish?: string | undefined; readonly authority?: Authority } = {},
  ): NodeCertificate {
    const { wish, authority = this.#books.authorities.newest } = options;
    const { network, days } = this.#books.settings;
    const { id } = verifyCsr(csr);
    const certificate = authority.issue({
      csr,
      network,
      meshAddresses: this.#books.nodes.addressesFor(id, network, this.#books.meshCidr(), now, wish),
      roles,
      now,
      days,
      ...publicKey === undefined ? {} : { publicKey },
    });
    this.#books.nodes.record(certificate, kind, tokenId, now);
    return certificate;
  }

  #authorityOf(fingerprint: string | undefined): Authority {
    if (fingerprint === undefined) return this.#books.authorities.newest;
    const found = this.#books.authorities.find(fingerprint);
    if (found !== undefined) return found;
    throw new JoinRefusal("the CA has just been replaced: ask for a new invite");
  }

  #whyNot(tokenId: string, now: number): JoinRefusal {
    const reasons = {
      expired: "token expired",
      used: "token already used",
      revoked: "join token has been revoked",
      valid: "invalid join token",
    } as const;
    return new JoinRefusal(reasons[this.#books.tokens.find(tokenId, now)?.status ?? "valid"]);
  }
}

/** @throws {JoinRefusal} */
export function refuseRevoked(nodes: NodeStore, id: NodeId): void {
  if (nodes.isRevoked(id)) throw new JoinRefusal("node has been revoked", { node: id });
}

/** What the audit log says of a certificate. */
export function auditFields(certificate: NodeCertificate, more: AuditFields): AuditFields {
  return {
    node: certificate.id,
    serial: certificate.serial,
    addresses: certificate.meshAddresses,
    roles: certificate.roles,
    ...more,
  };
}
