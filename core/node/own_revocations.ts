import { z } from "zod";
import { errorText } from "../errors/mod.ts";
import type { NodeId } from "../identity/mod.ts";
import type { Json, LogFn } from "../plugin/types.ts";
import { TaskSet } from "../tasks/mod.ts";

export interface OwnRevocationsOptions {
  readonly self: NodeId;
  /** Asks the CA in this very process for everybody it has revoked; undefined where there is none. */
  readonly ask: (() => Promise<Json>) | undefined;
  /** Refuses and drops these nodes; called with all of them each time. */
  apply(ids: readonly NodeId[]): Promise<void>;
  readonly log: LogFn;
}

const answer = z.array(z.string().regex(/^[0-9a-f]{32}$/));

/** What the CA of this process has revoked holds at this node: from its start, and at once when there is news. */
export class OwnRevocations implements AsyncDisposable {
  readonly #options: OwnRevocationsOptions;
  readonly #tasks: TaskSet;

  constructor(options: OwnRevocationsOptions) {
    this.#options = options;
    this.#tasks = new TaskSet((error) => {
      options.log("error", "revocations could not be applied", { error: errorText(error) });
    });
  }

  /** Everybody revoked so far, but never this node itself: a CA that refuses itself could undo nothing any more. */
  async list(): Promise<NodeId[]> {
    const { ask, self } = this.#options;
    if (ask === undefined) return [];
    return answer.parse(await ask()).filter((id) => id !== self);
  }

  /** There may be news. Whoever says so is only a hint: the CA is asked. */
  follow(): void {
    this.#tasks.add((async () => await this.#options.apply(await this.list()))());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.idle();
  }
}
