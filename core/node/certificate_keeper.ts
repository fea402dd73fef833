import { systemClock } from "../clock/clock.ts";
import type { DaemonConfig } from "../config/mod.ts";
import { errorText, PulseError } from "../errors/mod.ts";
import {
  createCsr,
  type Credentials,
  isMeshHost,
  loadCredentials,
  type NodeKey,
  renewCertificate,
  renewProtocol,
  storeCredentials,
  trustOf,
} from "../identity/mod.ts";
import type { EventFields } from "../history/types.ts";
import type { Json, LogFn } from "../plugin/types.ts";
import { Deadline, type MeshStream } from "../streams/mod.ts";
import { joinThroughRelays } from "./join_network.ts";
import { joinPlan } from "./join_plan.ts";
import type { Node } from "./node.ts";
import { RenewalSchedule } from "./renewal.ts";
import { sleep } from "./sleep.ts";

/** A join that fails in the background is tried again after 5 s, doubling to 80 s. */
const joinRetryMs = { first: 5_000, last: 80_000 };
/** A renewal conversation is over after this long. */
const renewTimeoutMs = 30_000;

/** When a CA is rolled all nodes want a certificate: at random within this for each node known, and a minute at most. */
const rollSpreadMsPerNode = 20;
const maxRollSpreadMs = 60_000;

export interface CertificateKeeperOptions {
  readonly key: NodeKey;
  readonly config: DaemonConfig;
  readonly log: LogFn;
  /** Asks the CA in this very process; undefined where there is none. */
  readonly signSelf: ((csr: Uint8Array) => Promise<Json>) | undefined;
  openToCa(protocol: string, signal: AbortSignal): Promise<MeshStream>;
  /** For the event log. */
  emit(type: string, fields: EventFields): void;
}

/** How a node comes to its certificate and keeps it fresh. */
export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  readonly #schedule = new RenewalSchedule();
  renewalError: string | undefined;
  #wake = new AbortController();

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** Relays the configuration names for joining; worth a link afterwards too. */
  get relays(): readonly string[] {
    return joinPlan(this.#options.config)?.relays ?? [];
  }

  /**
   * The first certificate of a node that has none: from its own CA, or by one attempt to join. Null: joining failed and goes on in
   * the background.
   * @throws {PulseError} NOT_JOINED nothing says where a certificate could come from
   */
  async first(): Promise<Credentials | null> {
    const { config, signSelf } = this.#options;
    if (signSelf !== undefined) return await this.#fromOwnCa(signSelf);
    if (config.join !== null) return null;
    throw new PulseError(
      "NOT_JOINED",
      "This node has not joined a network. Run `pulse join <invite code>`, start with --join, or start a new network with --ca",
    );
  }

  async #fromOwnCa(signSelf: (csr: Uint8Array) => Promise<Json>): Promise<Credentials> {
    const { key, config } = this.#options;
    const answer = await signSelf(await createCsr(key, config.network));
    const { certificate, anchor } = answer as { certificate: string; anchor: string };
    return await this.#store({ certificatePem: certificate, anchorPem: anchor });
  }

  async #store(pems: { certificatePem: string; anchorPem: string }): Promise<Credentials> {
    const { config } = this.#options;
    await storeCredentials(config.dataDir, pems);
    const credentials = await loadCredentials(config.dataDir, { now: systemClock.wall() });
    if (credentials === null) {
      throw new PulseError(
        "CREDENTIALS_LOST",
        "The certificate was written but cannot be read back",
      );
    }
    return credentials;
  }

  /** Tries to join until it works; null when the signal ended that. */
  async joinUntilDone(
    signal: AbortSignal,
    failed: (error: unknown) => void,
  ): Promise<Credentials | null> {
    const { key, config, log, emit } = this.#options;
    for (
      let wait = joinRetryMs.first;
      !signal.aborted;
      wait = Math.min(wait * 2, joinRetryMs.last)
    ) {
      try {
        const plan = joinPlan(config);
        if (plan === null) return null;
        const credentials = await this.#store(await joinThroughRelays({ ...plan, key, signal }));
        log("info", "joined", { network: credentials.certificate.network });
        emit("join_attempted", { detail: `joined ${credentials.certificate.network}` });
        return credentials;
      } catch (error) {
        if (signal.aborted) return null;
        failed(error);
        emit("join_failed", { error: errorText(error) });
        log("warn", "join failed", { error: errorText(error), retrySeconds: wait / 1000 });
        await sleep(wait, signal);
      }
    }
    return null;
  }

  /** A CA roll has begun, or the range of mesh addresses is another one: there may be a certificate to be had. */
  wake(): void {
    this.#wake.abort();
  }

  /** Renews in time, and under a new CA or in a new range of addresses at once, until the signal ends it. */
  async keep(node: Node, signal: AbortSignal): Promise<void> {
    const { log, emit } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const now = systemClock.wall();
      const superseded = this.#superseded(node) || isOutOfRange(node, node.credentials);
      if (this.#schedule.due(node.credentials, now, superseded)) {
        if (superseded) await sleep(rollSpreadMs(node), signal);
        if (signal.aborted) return;
        try {
          const renewed = await this.#renewed(node, signal);
          const { certificate } = node.credentials;
          if (renewed.certificate.serial === certificate.serial) {
            throw new PulseError("RENEWAL_UNCHANGED", "The CA gave the same certificate again");
          }
          if (isOutOfRange(node, renewed)) {
            throw new PulseError(
              "RENEWAL_UNCHANGED",
              `The CA does not give addresses in ${node.networkConfig.body.meshCidr} yet`,
            );
          }
          await node.renew(renewed);
          this.#schedule.succeeded();
          this.renewalError = undefined;
          const notAfter = new Date(node.credentials.certificate.notAfter).toISOString();
          log("info", "certificate renewed", { notAfter });
          emit("cert_renew", { notAfter });
        } catch (error) {
          this.#schedule.failed(now);
          this.renewalError = errorText(error);
          log("warn", "renewal failed", { error: errorText(error) });
          emit("cert_renew_failed", { error: errorText(error) });
        }
      }
      const next = this.#schedule.nextCheck(
        node.credentials,
        systemClock.wall(),
        this.#superseded(node) || isOutOfRange(node, node.credentials),
      );
      await sleep(next, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /** Whether there is a newer CA that would give this node a certificate: one that has retired this node's asks for a new invite. */
  #superseded(node: Node): boolean {
    const { certificate } = node.credentials;
    const { newest, trust } = node.trust;
    if (certificate.issuer === newest.fingerprint) return false;
    return this.#options.signSelf !== undefined ||
      trust.anchors.some(({ fingerprint }) => fingerprint === certificate.issuer);
  }

  async #renewed(node: Node, signal: AbortSignal): Promise<Credentials> {
    const { key, signSelf } = this.#options;
    if (signSelf !== undefined) return await this.#fromOwnCa(signSelf);
    using deadline = new Deadline(renewTimeoutMs, signal);
    const stream = await this.#options.openToCa(renewProtocol, deadline.signal);
    try {
      return await this.#store(
        await renewCertificate(stream, {
          key,
          trust: trustOf(node.credentials),
          network: node.credentials.certificate.network,
          now: systemClock.wall(),
          signal: deadline.signal,
        }),
      );
    } finally {
      stream.reset();
    }
  }
}

/** Whether the network config says another range of addresses than the certificate's is in. */
function isOutOfRange(node: Node, { certificate }: Credentials): boolean {
  const { body, news } = node.networkConfig;
  const ipv4 = certificate.meshAddresses.find((address) => !address.includes(":"));
  return news.version > 0 && ipv4 !== undefined && !isMeshHost(ipv4, body.meshCidr);
}

function rollSpreadMs(node: Node): number {
  const nodes = [...node.records()].length;
  return Math.random() * Math.min(maxRollSpreadMs, nodes * rollSpreadMsPerNode);
}
