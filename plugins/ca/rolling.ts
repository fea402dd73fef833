import { z } from "zod";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/mod.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import { removeRetiredKey } from "./authorities.ts";
import { openAuthority } from "./authority.ts";
import { CaError } from "./errors.ts";
import type { Granting } from "./granting.ts";
import type { Ledger } from "./ledger.ts";

export interface RollingOptions {
  /** Where the CA's files are. */
  readonly directory: string;
  readonly ledger: Ledger;
  readonly granting: Granting;
  readonly host: HostServices;
  readonly log: LogFn;
  readonly now: () => number;
}

/** Where a roll of the CA stands. */
export interface RollStatus {
  readonly stage: "none" | "overlap" | "finished";
  /** 0 while there never was a roll. */
  readonly serial: number;
  /** Fingerprint of the CA that issues now. */
  readonly ca: string;
  /** Of the one before it, while both count. */
  readonly previous: string | null;
  readonly at: number | null;
  /** Nodes with a certificate of the newest CA. */
  readonly renewed: number;
  /** Nodes in reach that have none yet. */
  readonly waiting: readonly NodeId[];
  /** Nodes out of reach that had none when last heard of, their old certificate being valid still. */
  readonly away: readonly NodeId[];
}

const currentSchema = z.object({ serial: z.int() });
const issuersSchema = z.object({
  nodes: z.array(z.object({ id: z.string(), issuer: z.string() })),
});

/** Names in a message at most. */
const maxNamed = 8;

/** Between the CA's ledger and the mesh when the CA itself is replaced: every step is in the ledger before anybody hears of it. */
export class Rolling {
  readonly #options: RollingOptions;
  /** One step at a time. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: RollingOptions) {
    this.#options = options;
  }

  /** Makes the next CA and lets both count; where a roll is going on already it stays as it is. */
  begin(): Promise<RollStatus> {
    return this.#inTurn(async () => {
      const { directory, ledger, now } = this.#options;
      if (ledger.authorities.previous === undefined) {
        const generation = (ledger.rolls.latest()?.generation ?? 1) + 1;
        // Key and certificate first: a crash before the transaction leaves them for the next attempt.
        const successor = await openAuthority(directory, now(), generation);
        ledger.beginRoll(successor, generation, now());
        await this.#adopt();
      }
      return await this.#status();
    });
  }

  /**
   * Retires the CA before the newest.
   * @throws {CaError} CA_ROLL_NONE; CA_ROLL_UNFINISHED nodes in reach have no certificate of the new one, and it was not forced
   */
  finish(force: boolean): Promise<RollStatus> {
    return this.#inTurn(async () => {
      const { directory, ledger, granting, now } = this.#options;
      const status = await this.#status();
      const { waiting, away } = status;
      if (status.stage !== "overlap") {
        throw new CaError("CA_ROLL_NONE", "no roll of the CA is going on");
      }
      if (waiting.length > 0 && !force) {
        const names = waiting.slice(0, maxNamed).join(", ");
        throw new CaError(
          "CA_ROLL_UNFINISHED",
          `${waiting.length} nodes in reach have no certificate of the new CA yet (${names}${
            waiting.length > maxNamed ? ", ..." : ""
          }): wait for them; with --force they are cut off and have to join again`,
          { waiting: waiting.slice(0, maxNamed), count: waiting.length },
        );
      }
      const left = [...waiting, ...away];
      const { generation } = ledger.finishRoll(await granting.basis(), left, now());
      await this.#adopt();
      await granting.follow();
      await removeRetiredKey(directory, generation);
      return await this.#status();
    });
  }

  status(): Promise<RollStatus> {
    return this.#inTurn(() => this.#status());
  }

  /** This node has just come up, or something has changed: it is to know what the ledger knows. */
  async follow(): Promise<void> {
    const roll = this.#options.ledger.rolls.latest();
    if (roll === undefined) return;
    const { serial } = currentSchema.parse(await this.#options.host.call("trust", "current", null));
    if (serial < roll.serial) await this.#adopt();
  }

  async #status(): Promise<RollStatus> {
    const { ledger, host, now } = this.#options;
    const { newest, previous } = ledger.authorities;
    const ca = newest.anchor.fingerprint;
    const answer = issuersSchema.parse(await host.call("trust", "issuers", null));
    const reachable = new Map(answer.nodes.map(({ id, issuer }) => [id, issuer]));
    const known = ledger.nodes.newestCertificates(now());
    const renewed = new Set<NodeId>();
    const away: NodeId[] = [];
    for (const [id, issuer] of reachable) if (issuer === ca) renewed.add(id);
    for (const { nodeId, der } of known) {
      if (reachable.has(nodeId)) continue;
      if (newest.issued(der)) renewed.add(nodeId);
      else away.push(nodeId);
    }
    const roll = ledger.rolls.latest();
    return {
      stage: roll?.stage ?? "none",
      serial: roll?.serial ?? 0,
      ca,
      previous: previous?.anchor.fingerprint ?? null,
      at: roll?.at ?? null,
      renewed: renewed.size,
      waiting: [...reachable.keys()].filter((id) => !renewed.has(id)),
      away,
    };
  }

  /** The ledger has it already: a node that cannot take it now is given it when it comes up. */
  async #adopt(): Promise<void> {
    const { ledger, host, log } = this.#options;
    const { bytes, serial } = ledger.rolls.latest()!;
    try {
      await host.call("trust", "adopt", { roll: bytes.toBase64() });
    } catch (error) {
      if (!(error instanceof PulseError)) throw error;
      log("error", "this node does not take the word of its own CA on a roll", {
        serial,
        code: error.code,
        error: errorText(error),
      });
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {/* told to whoever asked for it */});
    return done;
  }
}
