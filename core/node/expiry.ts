import type { CertificateStatus, HealthWarning, Lifetime } from "../control/types.ts";
import type { EventFields } from "../history/types.ts";

/** What ends: this node's certificate, or that of its CA. */
const kinds = [
  {
    event: "cert",
    what: "The certificate",
    codes: { expiring: "CERTIFICATE_EXPIRING", expired: "CERTIFICATE_EXPIRED" },
  },
  {
    event: "ca",
    what: "The CA's certificate",
    codes: { expiring: "CA_EXPIRING", expired: "CA_EXPIRED" },
  },
] as const;

type Kind = typeof kinds[number];

/** What `pulse status` says of lives that end, or have ended. */
export function expiryWarnings(certificate: CertificateStatus): HealthWarning[] {
  return kinds.flatMap((kind): HealthWarning[] => {
    const { status } = lifeOf(kind, certificate);
    if (status === "valid") return [];
    return [{
      code: kind.codes[status],
      severity: status === "expired" ? "error" : "warning",
      text: words(kind, certificate),
    }];
  });
}

/** An event for the history. */
export interface ExpiryEvent {
  readonly type: string;
  readonly fields: EventFields;
}

/** Makes events of lives that end: one for each certificate and each stage of it, also across restarts. Sans I/O. */
export class ExpiryWatch {
  readonly #told = new Map<string, string>();

  /** @param earlier of the newest event of a type: whose end it told of; undefined when there is none */
  constructor(earlier: (type: string) => string | undefined) {
    for (const { event } of kinds) {
      for (const stage of ["expiring", "expired"]) {
        const type = `${event}_${stage}`;
        const certificate = earlier(type);
        if (certificate !== undefined) this.#told.set(type, certificate);
      }
    }
  }

  next(certificate: CertificateStatus): ExpiryEvent[] {
    return kinds.flatMap((kind) => {
      const { status, notAfter } = lifeOf(kind, certificate);
      const { event } = kind;
      const of = event === "ca" ? certificate.caFingerprint : certificate.fingerprint;
      const type = `${event}_${status}`;
      if (status === "valid" || this.#told.get(type) === of) return [];
      this.#told.set(type, of);
      return [{ type, fields: { detail: words(kind, certificate), certificate: of, notAfter } }];
    });
  }
}

function lifeOf({ event }: Kind, certificate: CertificateStatus): Lifetime {
  return event === "ca" ? certificate.ca : certificate;
}

function words(kind: Kind, certificate: CertificateStatus): string {
  const { status, notAfter, remainingSeconds } = lifeOf(kind, certificate);
  const remedy = kind.event === "ca"
    ? 'roll the CA with "pulse ca roll" on its node'
    : status === "expired"
    ? "join again with a token"
    : "the CA has to be in reach for it to be renewed";
  if (status === "expired") return `${kind.what} expired at ${notAfter}; ${remedy}`;
  const days = Math.floor(remainingSeconds / 86_400);
  return `${kind.what} expires in ${days} days, at ${notAfter}; ${remedy}`;
}
