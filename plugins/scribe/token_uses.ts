import { z } from "zod";
import { readLine } from "../../core/control/read_line.ts";
import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import { Deadline, underSignal } from "../../core/streams/mod.ts";

/** On it the CA tells the scribe how often its tokens were used. */
const usesProtocol = "ca.tokens";
/** Ten thousand tokens take 600 KB. */
const maxAnswerBytes = 1024 * 1024;
/** A list does not wait longer for a CA that does not answer. */
const askMs = 2_000;
const pollMs = 100;

const answer = z.object({
  tokens: z.array(z.object({
    id: z.string().max(64),
    uses: z.int().min(0),
    status: z.enum(["valid", "used", "expired", "revoked"]),
  })),
});

/** What the CA knows of a token that the scribe does not. */
export interface TokenUse {
  readonly uses: number;
  readonly status: string;
}

export interface TokenUsesOptions {
  readonly self: NodeId;
  readonly host: Pick<HostServices, "peers" | "openStream">;
  readonly log: LogFn;
  readonly signal: AbortSignal;
}

/** Asks the CA, wherever it is, about the tokens of the network config. */
export class TokenUses {
  readonly #options: TokenUsesOptions;

  constructor(options: TokenUsesOptions) {
    this.#options = options;
  }

  /** By token id; null when the CA does not answer. */
  async ask(): Promise<ReadonlyMap<string, TokenUse> | null> {
    using deadline = new Deadline(askMs, this.#options.signal);
    return await this.#ask(deadline.signal);
  }

  /** Whether the CA has heard of a token by now: from then on nodes can join with it. Waits for that, though not for long. */
  async heard(id: string): Promise<boolean> {
    using deadline = new Deadline(askMs, this.#options.signal);
    while (!deadline.signal.aborted) {
      const uses = await this.#ask(deadline.signal);
      if (uses === null) return false;
      if (uses.has(id)) return true;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    return false;
  }

  async #ask(signal: AbortSignal): Promise<ReadonlyMap<string, TokenUse> | null> {
    const { host, self, log } = this.#options;
    try {
      const ca = (await host.peers()).find(({ roles }) => roles.includes("ca"));
      // A scribe that knows no other CA may be the CA itself.
      const request = { node: ca?.id ?? self, protocol: usesProtocol, port: 0 };
      await using stream = await host.openStream(request, { signal });
      const line = await underSignal(stream, signal, "the question for uses", async () => {
        await stream.closeWrite();
        return (await readLine(stream, maxAnswerBytes)).line;
      });
      const { tokens } = answer.parse(JSON.parse(line));
      return new Map(tokens.map(({ id, uses, status }) => [id, { uses, status }]));
    } catch (error) {
      log("debug", "the CA does not say how often tokens were used", {
        code: errorCode(error),
        error: errorText(error),
      });
      return null;
    }
  }
}
