import { z } from "zod";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/mod.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import type { GrantRecord } from "./grant_store.ts";
import type { Ledger } from "./ledger.ts";
import type { GrantBasis } from "./scribe_granting.ts";
import type { SealKey } from "./seal_key.ts";

export interface GrantingOptions {
  readonly ledger: Ledger;
  readonly sealKey: SealKey;
  readonly host: HostServices;
  readonly log: LogFn;
  readonly now: () => number;
}

/** The network config as the CA needs it. */
const currentSchema = z.object({
  epoch: z.int(),
  version: z.int(),
  hash: z.string(),
  grantEpoch: z.int(),
  // Core has checked it, by the config's own schema.
  body: z.custom<ConfigBody>((value) => typeof value === "object" && value !== null),
});

/** Between the CA's ledger and the mesh: grants go out, the scribe's tokens and revocations come in. */
export class Granting {
  readonly #options: GrantingOptions;

  constructor(options: GrantingOptions) {
    this.#options = options;
  }

  /** Makes a node the scribe, or nobody. @throws {PulseError} NODE_NOT_JOINED; {CaError} */
  async grant(scribe: NodeId | null): Promise<GrantRecord> {
    const { ledger, now } = this.#options;
    const grant = ledger.grantScribe(scribe, await this.basis(), now());
    await this.#adopt(grant);
    return grant;
  }

  /**
   * A node that was started as the scribe asks for the role.
   * @throws {JoinRefusal} somebody has had it before, or the node may not have it unasked
   */
  async request(node: NodeId): Promise<GrantRecord> {
    const { ledger, now } = this.#options;
    const grant = ledger.requestScribe(node, await this.basis(), now());
    await this.#adopt(grant);
    return grant;
  }

  /** What a grant made now would rest on. */
  async basis(): Promise<GrantBasis> {
    return { sealKey: this.#options.sealKey.publicKey, ...await this.#current() };
  }

  /** The network config has changed, or this node has just come up. */
  async follow(): Promise<void> {
    const { ledger, sealKey, host, log, now } = this.#options;
    const current = await this.#current();
    const latest = ledger.grants.latest();
    if (latest !== undefined && latest.epoch > current.grantEpoch) await this.#adopt(latest);
    const { id: self } = await host.self();
    const changes = ledger.followConfig(
      { ...current, self },
      ({ sealedKey }) => sealKey.open(Uint8Array.fromBase64(sealedKey)),
      now(),
    );
    if (changes !== undefined && changes.skipped.length > 0) {
      log("error", "tokens of the network config cannot be used by this CA", {
        tokens: changes.skipped.slice(0, 16),
        count: changes.skipped.length,
      });
    }
  }

  async #current(): Promise<z.infer<typeof currentSchema>> {
    return currentSchema.parse(await this.#options.host.call("netconfig", "current", null));
  }

  /** The ledger has it already: a node that cannot take it now is given it when it comes up. */
  async #adopt({ bytes, epoch }: GrantRecord): Promise<void> {
    const { host, log } = this.#options;
    try {
      await host.call("netconfig", "adoptGrant", { grant: bytes.toBase64() });
    } catch (error) {
      if (!(error instanceof PulseError)) throw error;
      log("error", "this node does not take a grant of its own CA", {
        epoch,
        code: error.code,
        error: errorText(error),
      });
    }
  }
}
