import { join } from "node:path";
import {
  defaultMeshCidr,
  type JoinResult,
  pemToDer,
  type Role,
  verifyCsr,
} from "../../core/identity/mod.ts";
import { openAuthorities } from "./authorities.ts";
import { authorityFiles, defaultNodeDays } from "./authority.ts";
import { CaError } from "./errors.ts";
import { Ledger } from "./ledger.ts";

/** The CA's ledger in its directory. */
export const ledgerFile = "ledger.db";

export interface SignCsrOptions {
  /** Wall clock, ms. */
  readonly now: number;
  readonly roles?: readonly Role[];
  /** @default 90 */
  readonly days?: number;
  /** @default 10.100.0.0/16 */
  readonly meshCidr?: string;
}

/**
 * Signs a certificate request with the CA in this directory, without a mesh. The CA may be running beside it. The certificate is
 * entered in the ledger like any other, so its mesh address is nobody else's.
 * @param csrPem PEM block CERTIFICATE REQUEST, as `createCsr()` writes it
 * @throws {CaError} CA_MISSING no CA in the directory; CA_* as `openAuthority` and `Ledger.open`; CA_REFUSED revoked
 * @throws {CertificateError} CERT_REQUEST, CERT_MALFORMED
 */
export async function signCsr(
  caDirectory: string,
  csrPem: string,
  options: SignCsrOptions,
): Promise<JoinResult> {
  const csr = pemToDer(csrPem, "CERTIFICATE REQUEST");
  const { network } = verifyCsr(csr);
  await assertCa(caDirectory);
  const ledgerPath = join(caDirectory, ledgerFile);
  const authorities = await openAuthorities(caDirectory, ledgerPath, options.now);
  const settings = {
    network,
    meshCidr: options.meshCidr ?? defaultMeshCidr,
    days: options.days ?? defaultNodeDays,
  };
  using ledger = Ledger.open(ledgerPath, authorities, settings, options.now);
  const certificate = ledger.issueLocally("offline", csr, options.roles ?? [], options.now);
  return { certificatePem: certificate.pem, anchorPem: authorities.newest.anchor.pem };
}

async function assertCa(directory: string): Promise<void> {
  const path = join(directory, authorityFiles().certificate);
  try {
    await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CaError(
      "CA_MISSING",
      `there is no CA in ${directory}: ${path} does not exist. Name the directory the CA's daemon keeps it in`,
      { directory },
      error,
    );
  }
}
