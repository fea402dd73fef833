import { z } from "zod";
import { readLine } from "../../core/control/read_line.ts";
import { errorText } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/mod.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import { Deadline, underSignal } from "../../core/streams/mod.ts";
import { CaError } from "./errors.ts";
import type { JoinedNotice } from "./joined_outbox.ts";

/** On it the scribe is told who joined with one of its tokens. */
export const joinedProtocol = "scribe.joined";

export interface CourierOptions {
  readonly outbox: { list(limit: number): JoinedNotice[]; remove(seq: number): void };
  /** Whom the CA has granted the role; null: nobody. */
  scribe(): NodeId | null;
  readonly openStream: HostServices["openStream"];
  readonly log: LogFn;
  readonly signal: AbortSignal;
  /** First wait after a failure; doubles up to 60 s. @default 1 s */
  readonly retryMs?: number;
}

const maxRetryMs = 60_000;
const tellTimeoutMs = 20_000;
/** Notices tried in one round, so that one the scribe cannot take holds up no other. */
const perRound = 100;

const answerSchema = z.object({ ok: z.boolean(), error: z.string().max(1_000).optional() });

/** Brings the scribe every notice until it says that it has it. What is not acknowledged is told again, after a restart too. */
export class JoinedCourier {
  readonly #options: CourierOptions;
  #woken = Promise.withResolvers<void>();

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken.resolve();
  }

  /** Runs until the signal ends it. */
  async run(): Promise<void> {
    const { signal, retryMs = 1_000 } = this.#options;
    let wait = retryMs;
    while (!signal.aborted) {
      this.#woken = Promise.withResolvers<void>();
      const left = await this.#round();
      wait = left ? Math.min(wait * 2, maxRetryMs) : retryMs;
      await this.#sleep(left ? wait : undefined);
    }
  }

  /** @returns whether something could not be told */
  async #round(): Promise<boolean> {
    const { outbox, scribe, log, signal } = this.#options;
    const to = scribe();
    // Nobody to tell: the next grant wakes us.
    if (to === null) return false;
    let left = false;
    for (const notice of outbox.list(perRound)) {
      if (signal.aborted) return left;
      try {
        await this.#tell(to, notice);
        outbox.remove(notice.seq);
      } catch (error) {
        if (signal.aborted) return left;
        left = true;
        log("debug", "the scribe was not told of a join", {
          peer: to,
          node: notice.node,
          error: errorText(error),
        });
      }
    }
    return left;
  }

  async #tell(scribe: NodeId, { node, token }: JoinedNotice): Promise<void> {
    using deadline = new Deadline(tellTimeoutMs, this.#options.signal);
    const { signal } = deadline;
    const request = { node: scribe, protocol: joinedProtocol, port: 0 };
    const stream = await this.#options.openStream(request, { signal });
    await underSignal(stream, signal, "the word of a join", async () => {
      await stream.write(new TextEncoder().encode(`${JSON.stringify({ node, token })}\n`));
      const { line } = await readLine(stream, 4_096);
      const answer = answerSchema.parse(JSON.parse(line));
      await stream.closeWrite();
      if (!answer.ok) throw new CaError("CA_REFUSED", answer.error ?? "the scribe refused");
    });
    await stream[Symbol.asyncDispose]();
  }

  async #sleep(ms: number | undefined): Promise<void> {
    const { signal } = this.#options;
    const wake = () => this.wake();
    const timer = ms === undefined ? undefined : setTimeout(wake, ms);
    signal.addEventListener("abort", wake, { once: true });
    if (!signal.aborted) await this.#woken.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", wake);
  }
}
