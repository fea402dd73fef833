import { dataFiles } from "../control/types.ts";
import type { Credentials } from "../identity/mod.ts";
import { TrustStore } from "../trust/mod.ts";
import { caRollStorage } from "./ca_roll_file.ts";
import { PulseError } from "../errors/mod.ts";

/**
 * Why a node that is a member has to join again: its certificate has expired, or is of a CA that this node knows to be retired. Undefined
 * when it need not.
 * @param now wall clock, ms
 */
export async function whyRejoin(
  dataDir: string,
  { certificate, anchor }: Credentials,
  now: number,
): Promise<"expired" | "retired" | undefined> {
  if (certificate.notAfter <= now || anchor.notAfter <= now) return "expired";
  const { stored } = await caRollStorage(dataDir, (cause) => {
    const path = `${dataDir}/${dataFiles.caRoll}`;
    throw new PulseError("STATE_UNREADABLE", `${path} cannot be read`, { path }, cause);
  });
  if (stored === undefined) return undefined;
  const store = new TrustStore({ network: certificate.network, root: anchor });
  store.offer(stored);
  const retired = store.trust.retired.some(({ fingerprint }) => fingerprint === anchor.fingerprint);
  return retired ? "retired" : undefined;
}
