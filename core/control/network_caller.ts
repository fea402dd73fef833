import type { ApiKeyInfo } from "./api_key_store.ts";
import type { Caller } from "./authorisation.ts";
import { makeProblem, type Problem } from "./problem.ts";
import { RateTable } from "./rate_table.ts";

/** Where a connection comes from. */
export interface Remote {
  readonly address: string;
  /** It is from this machine's loopback. */
  readonly loopback: boolean;
  /** The node whose tunnel ends here, when it is one. */
  readonly tunnelFrom: string | undefined;
}

/** A refusal with the headers that go with it. */
export interface Refusal {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/** Requests of one key (or of one address without a key): this many at once, and so many a second. */
export const requestRate = { burst: 200, perSecond: 50, size: 1_024 } as const;
/** Wrong keys from one address. The right key works all the while: nobody can lock out others by guessing. */
export const failureRate = { burst: 10, perSecond: 0.2, size: 1_024 } as const;

export interface NetworkCallersOptions {
  authenticate(key: string): Promise<ApiKeyInfo | undefined>;
  /** Monotonic milliseconds. */
  now(): number;
  /** A wrong key was shown; told about as often as `failureRate` allows. */
  onFailure(remote: Remote): void;
}

/** Finds out who asks over the network, and how much each may ask. */
export class NetworkCallers {
  readonly #options: NetworkCallersOptions;
  readonly #requests = new RateTable(requestRate);
  readonly #failures = new RateTable(failureRate);

  constructor(options: NetworkCallersOptions) {
    this.#options = options;
  }

  /** @param authorization the header of that name. @throws {PulseError} the keys cannot be read */
  async identify(authorization: string | undefined, remote: Remote): Promise<Caller | Refusal> {
    const { now } = this.#options;
    const where = remote.tunnelFrom ?? remote.address;
    const onLoopback = remote.loopback && remote.tunnelFrom === undefined;
    let caller: Caller;
    // A key is counted as one wherever it is used from.
    let counted: string;
    if (authorization === undefined) {
      caller = { role: "anonymous", by: `anonymous@${where}`, onLoopback };
      counted = caller.by;
    } else {
      const text = /^Bearer ([!-~]{1,200})$/i.exec(authorization)?.[1];
      const key = text === undefined ? undefined : await this.#options.authenticate(text);
      if (key === undefined) return this.#wrongKey(remote, where);
      caller = { role: key.role, by: `key:${key.id}@${where}`, onLoopback };
      counted = `key:${key.id}`;
    }
    const wait = this.#requests.take(counted, now());
    return wait === 0 ? caller : tooMany(wait, "Too many requests");
  }

  #wrongKey(remote: Remote, where: string): Refusal {
    const wait = this.#failures.take(where, this.#options.now());
    if (wait > 0) return tooMany(wait, "Too many wrong API keys");
    this.#options.onFailure(remote);
    return {
      problem: makeProblem(
        401,
        "API_KEY_INVALID",
        "This is not an API key of this node, or it has been revoked; list them with: pulse api-key list",
      ),
      headers: { "www-authenticate": 'Bearer realm="pulse", error="invalid_token"' },
    };
  }
}

function tooMany(waitMs: number, what: string): Refusal {
  const seconds = Math.ceil(waitMs / 1000);
  return {
    problem: makeProblem(429, "REQUEST_RATE", `${what}; come back in ${seconds} s`),
    headers: { "retry-after": `${seconds}` },
  };
}
