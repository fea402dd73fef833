import { formatHostPort, type HostPort } from "../address/mod.ts";
import type { Clock } from "../clock/clock.ts";
import { errorText } from "../errors/mod.ts";
import { exchangeWithin } from "../identity/mod.ts";
import type { LogFn } from "../plugin/types.ts";
import { openJoinConversation } from "../sessions/websocket/mod.ts";
import { Deadline } from "../streams/mod.ts";
import type { TaskSet } from "../tasks/mod.ts";
import type { NodeTrust } from "./node_trust.ts";
import { askAtDoor, DoorBell } from "./roll_door.ts";

/** Opening the door of a node, one question and its answer. */
const doorTimeoutMs = 5_000;

export interface DoorCallsOptions {
  readonly trust: NodeTrust;
  readonly clock: Clock;
  readonly log: LogFn;
  readonly tasks: TaskSet;
}

/** Asks at the door of nodes that could not be linked to whether the CA was rolled meanwhile. */
export class DoorCalls {
  readonly #options: DoorCallsOptions;
  readonly #bell = new DoorBell();

  constructor(options: DoorCallsOptions) {
    this.#options = options;
  }

  /** After a dial at which one end did not believe the other: one of the two may not know of a roll. Never rejects. */
  async ask(address: HostPort, error: unknown, signal: AbortSignal): Promise<void> {
    const { trust, clock, log, tasks } = this.#options;
    if (!this.#bell.due(address, error, clock.now())) return;
    const where = formatHostPort(address);
    using deadline = new Deadline(doorTimeoutMs, signal);
    try {
      const { signal: limit } = deadline;
      const conversation = await openJoinConversation({ ...address, signal: limit });
      try {
        const asking = () => askAtDoor(conversation, trust, { where, log });
        await exchangeWithin(doorTimeoutMs, limit, asking);
      } finally {
        // Its end may take longer than the next dial should wait.
        tasks.add(Promise.resolve(conversation[Symbol.asyncDispose]()));
      }
    } catch (failure) {
      log("debug", "nobody tells of a CA roll", { address: where, error: errorText(failure) });
    }
  }
}
