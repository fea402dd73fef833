import type { Credentials } from "../identity/types.ts";

/** Renew when fewer than 30 days remain; for a certificate shorter than 90 days when a third of its life is left. */
const renewBelowMs = 30 * 24 * 3600_000;
/** Looked at this often; also how long a failed renewal waits before the next try, at most. */
const checkEveryMs = 3600_000;
/** After a failure the next try comes sooner, doubling up to `checkEveryMs`. */
const firstRetryMs = 5_000;

/** Sans-I/O: when is it time to renew a certificate, and when again after a failure. */
export class RenewalSchedule {
  #failures = 0;
  #notBefore = 0;

  /**
   * True when a renewal should be tried at `now` (wall clock, ms).
   * @param superseded the certificate is not of the newest CA: it is time whatever its dates
   */
  due(credentials: Credentials, now: number, superseded = false): boolean {
    return now >= this.#notBefore && (superseded || now >= renewAt(credentials));
  }

  /** Milliseconds until `due` is worth asking again. */
  nextCheck(credentials: Credentials, now: number, superseded = false): number {
    const at = Math.max(superseded ? 0 : renewAt(credentials), this.#notBefore);
    return Math.min(checkEveryMs, Math.max(1_000, at - now));
  }

  failed(now: number): void {
    this.#notBefore = now + Math.min(checkEveryMs, firstRetryMs * 2 ** this.#failures);
    this.#failures++;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBefore = 0;
  }
}

/** Wall-clock time from which the certificate should be replaced. */
export function renewAt(credentials: Credentials): number {
  const { notBefore, notAfter } = credentials.certificate;
  return notAfter - Math.min(renewBelowMs, (notAfter - notBefore) / 3);
}
