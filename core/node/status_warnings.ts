import type { CertificateStatus, HealthWarning, PluginStatus } from "../control/types.ts";
import { expiryWarnings } from "./expiry.ts";
import type { RollState } from "./roll_state.ts";
import type { ConfigProblem } from "./network_config_status.ts";

/** Failed dials in one status; `pulse logs` has all of them. */
const maxFailuresTold = 8;

/** What an operator should know before it becomes an outage. */
export function healthWarnings(facts: {
  readonly certificate: CertificateStatus | null;
  readonly linked: number;
  /** Whether it is a CA: others come to it. */
  readonly ca: boolean;
  /** Peers this node was told to dial. */
  readonly configured: number;
  /** Peers with an address that gossip or the last run named. */
  readonly known: number;
  /** Those of them that could not be dialled, and why. */
  readonly failures: ReadonlyMap<string, string>;
  readonly plugins: readonly PluginStatus[];
  /** Why the node has not joined yet, where it has not. */
  readonly joinError: string | undefined;
  readonly renewalError: string | undefined;
  /** Where this node stands in a CA roll. */
  readonly roll: RollState;
  /** What is wrong with the network config. */
  readonly config: readonly ConfigProblem[];
  /** Why this node is not the scribe it was started as, where it is not. */
  readonly scribeError: string | undefined;
  /** Why the API does not listen where it usually does. */
  readonly apiError: string | undefined;
}): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  const add = (code: string, severity: HealthWarning["severity"], text: string) =>
    warnings.push({ code, severity, text });
  const { certificate } = facts;
  if (certificate === null) {
    const why = facts.joinError === undefined ? "" : `: ${facts.joinError}`;
    add("NOT_JOINED", "error", `This node has not joined a network${why}`);
  } else {
    for (const { code, severity, text } of expiryWarnings(certificate)) add(code, severity, text);
  }
  if (facts.roll === "retired") {
    add(
      "CERTIFICATE_RETIRED",
      "error",
      'The CA of this network was rolled while this node was away, and the certificate is of the retired CA: make an invite on the CA with "pulse invite", stop this node, run "pulse join CODE" and start it again',
    );
  } else if (facts.roll === "pending") {
    add(
      "CA_ROLL_PENDING",
      "warning",
      "The CA is being rolled, and this node has no certificate of the new one yet",
    );
  }
  if (facts.renewalError !== undefined) {
    add(
      "RENEWAL_FAILING",
      "warning",
      `The certificate could not be renewed: ${facts.renewalError}`,
    );
  }
  if (certificate !== null && facts.configured > 0 && facts.linked === 0) {
    add("NO_LINKS", "error", "No peer is linked");
  } else if (certificate !== null && facts.linked + facts.known === 0 && !facts.ca) {
    add(
      "NO_PEERS",
      "warning",
      "This node knows no peer; start it with the address of one, or with --join and the invite code",
    );
  }
  for (const { code, text } of facts.config) add(code, "error", text);
  if (facts.scribeError !== undefined) {
    add("CONFIG_SCRIBE_REFUSED", "warning", `This node is not the scribe: ${facts.scribeError}`);
  }
  if (facts.apiError !== undefined) {
    add("API_LISTEN", "warning", `The API does not listen: ${facts.apiError}`);
  }
  for (const [address, why] of [...facts.failures].slice(0, maxFailuresTold)) {
    add("PEER_UNREACHABLE", "warning", `Peer ${address} cannot be linked: ${why}`);
  }
  for (const plugin of facts.plugins) {
    if (plugin.state === "failed") {
      add("PLUGIN_FAILED", "error", `Plugin ${plugin.name} failed: ${plugin.detail}`);
    }
  }
  return warnings;
}
