import { z } from "zod";
import { readLine } from "../control/read_line.ts";
import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/mod.ts";
import type { ScribeGrant } from "../netconfig/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { Deadline, type MeshStream, underSignal } from "../streams/mod.ts";
import { sleep } from "./sleep.ts";

/** On it a node asks its CA for the scribe's role. */
export const scribeProtocol = "ca.scribe";

/** After a failure or a refusal the next try comes in 500 ms, doubling to a minute. */
const retryMs = { first: 500, last: 60_000 };
/** Whether the grant still names this node is looked at this often. */
const lookMs = 1_000;
const askTimeoutMs = 20_000;
const maxAnswer = 4_096;

const answerSchema = z.union([
  z.object({ granted: z.literal(true) }),
  z.object({ granted: z.literal(false), reason: z.string().max(1_000) }),
]);

export interface ScribeRequestOptions {
  readonly self: NodeId;
  /** The highest grant seen. */
  grant(): ScribeGrant | undefined;
  openToCa(signal: AbortSignal): Promise<MeshStream>;
  readonly log: LogFn;
}

/** A node that was started as the scribe asks its CA, as long as there never was one. */
export class ScribeRequest {
  readonly #options: ScribeRequestOptions;
  #error: string | undefined;

  constructor(options: ScribeRequestOptions) {
    this.#options = options;
  }

  /** Why this node is not the scribe; undefined when it is, and until something is known. */
  get error(): string | undefined {
    const { grant, self } = this.#options;
    const held = grant();
    if (held === undefined) return this.#error;
    if (held.scribe === self) return undefined;
    return held.scribe === null
      ? `the role was taken away; at the CA: pulse ca grant scribe ${self}`
      : `node ${held.scribe} is; to move the role, at the CA: pulse ca grant scribe ${self}`;
  }

  /** Until the signal ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { grant, log } = this.#options;
    let wait = retryMs.first;
    while (!signal.aborted) {
      if (grant() !== undefined) {
        await sleep(lookMs, signal);
        continue;
      }
      try {
        await this.#ask(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#error = errorText(error);
        log("warn", "the scribe's role was not granted", { error: this.#error });
      }
      await sleep(wait, signal);
      wait = Math.min(wait * 2, retryMs.last);
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    using deadline = new Deadline(askTimeoutMs, signal);
    const stream = await this.#options.openToCa(deadline.signal);
    await underSignal(stream, deadline.signal, "the question for the scribe's role", async () => {
      await stream.closeWrite();
      const { line } = await readLine(stream, maxAnswer);
      const answer = answerSchema.parse(JSON.parse(line));
      this.#error = answer.granted ? undefined : answer.reason;
      if (!answer.granted) {
        this.#options.log("warn", "the CA refused the scribe's role", { reason: answer.reason });
      }
    });
    await stream[Symbol.asyncDispose]();
  }
}
