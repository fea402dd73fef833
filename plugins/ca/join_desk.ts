import { errorText } from "../../core/errors/mod.ts";
import { encodeAnswer } from "../../core/identity/join_messages.ts";
import {
  exchangeWithin,
  type JoinChannel,
  JoinError,
  joinTimeoutMs,
} from "../../core/identity/mod.ts";
import type { LogFn } from "../../core/plugin/types.ts";
import { type JoinAuthority, JoinServer } from "./join_server.ts";
import type { Ledger } from "./ledger.ts";
import { RateLimits } from "./rate_limit.ts";

export interface JoinDeskOptions {
  readonly ledger: Ledger;
  readonly network: string;
  readonly log: LogFn;
  /** Wall clock, ms. */
  readonly now: () => number;
  /** Ends every conversation. */
  readonly signal: AbortSignal;
  /** @default 30 s */
  readonly timeoutMs?: number;
}

/** Joins going on at once. */
const maxOpen = 256;
/** Joins one source (an address, or the relay that carries them) may begin: at once, and each second after that. */
const burst = 200;
const perSecond = 20;
const maxSources = 1024;

/** Where strangers' join conversations are held: limits, time, audit; the protocol itself is `JoinServer`. */
export class JoinDesk {
  readonly #options: JoinDeskOptions;
  readonly #limits = new RateLimits(burst, perSecond, maxSources);
  readonly #authority: JoinAuthority;
  #open = 0;

  constructor(options: JoinDeskOptions) {
    const { ledger, network, log, now } = options;
    this.#options = options;
    this.#authority = {
      network,
      anchorFor: (tokenId) => ledger.anchorFor(tokenId, now()),
      macKey: (tokenId) => ledger.tokens.macKey(tokenId),
      join: (grant) => ledger.join(grant, now()),
      refused: (reason, tokenId, via) => this.#record("join_refused", reason, tokenId, via),
      failed: (error) => log("error", "join failed at the CA", { error: errorText(error) }),
    };
  }

  /** Conversations going on now. */
  get open(): number {
    return this.#open;
  }

  /** Holds one conversation to its end; never rejects because of what the stranger does. */
  async serve(conversation: JoinChannel & { readonly remoteAddress: string }): Promise<void> {
    const { now, signal, timeoutMs = joinTimeoutMs } = this.#options;
    const via = conversation.remoteAddress;
    const tooFast = !this.#limits.take(via.replace(/:\d+$/, ""), now());
    this.#open++;
    const random = crypto.getRandomValues(new Uint8Array(64));
    const server = new JoinServer(this.#authority, random, via);
    try {
      if (tooFast || this.#open > maxOpen) {
        await exchangeWithin(timeoutMs, signal, () => busy(conversation));
        return;
      }
      await exchangeWithin(timeoutMs, signal, () => hold(server, conversation));
      if (server.open) {
        this.#record("join_abandoned", "the node left", server.tokenId, via);
      }
    } catch (error) {
      const quiet = error instanceof JoinError;
      this.#options.log(quiet ? "debug" : "info", "join conversation ended", {
        remote: via,
        error: errorText(error),
      });
      this.#record("join_abandoned", errorText(error).slice(0, 200), server.tokenId, via);
    } finally {
      this.#open--;
    }
  }

  #record(
    type: "join_refused" | "join_abandoned",
    reason: string,
    token: string | undefined,
    via: string,
  ): void {
    const { ledger, now, log } = this.#options;
    try {
      ledger.recordRefusal(type, { reason, token, via }, now());
    } catch (error) {
      // The refusal stands; only its record is missing, and that must not pass in silence.
      log("error", "a refused join could not be recorded", { error: errorText(error), reason });
    }
  }
}

async function hold(server: JoinServer, conversation: JoinChannel): Promise<void> {
  while (true) {
    const message = await conversation.receive();
    if (message === null) return;
    const step = server.receive(message);
    await conversation.send(step.send);
    if (step.done) return;
  }
}

async function busy(conversation: JoinChannel): Promise<void> {
  if (await conversation.receive() === null) return;
  await conversation.send(encodeAnswer({
    certificate: new Uint8Array(0),
    reason: "the CA is busy with other joins, try again in a minute",
    mac: new Uint8Array(32),
  }));
}
