import { isLoopbackIp } from "../../core/address/mod.ts";
import type { ClientList } from "./client_list.ts";
import type { RateLimit } from "./rate_limit.ts";

export interface GateOptions {
  readonly clients: ClientList;
  readonly rate: RateLimit;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Who is listened to. Strangers get no answer at all, so nobody can be flooded with answers in their name. */
export class Gate {
  readonly #options: GateOptions;
  readonly refused = { stranger: 0, rate: 0 };

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** A program on this machine is never too fast: it could take the processor without asking names, and shares its address with all others. */
  admits(address: string): boolean {
    const { clients, rate, now } = this.#options;
    if (!clients.has(address)) {
      this.refused.stranger++;
      return false;
    }
    if (address.startsWith("127.") || isLoopbackIp(address) || rate.allow(address, now())) {
      return true;
    }
    this.refused.rate++;
    return false;
  }
}
