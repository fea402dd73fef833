import { formatHostPort, type HostPort } from "../../../core/address/mod.ts";
import { errorText } from "../../../core/errors/mod.ts";
import type { LogFn } from "../../../core/plugin/types.ts";
import { rcode } from "../constants.ts";
import type { Query } from "../query.ts";
import type { WireRecord } from "../resource_record.ts";
import { bareReply, encodeResponse } from "../response.ts";
import { AnswerCache, cacheKey } from "./answer_cache.ts";
import { type Exchange, exchangeTcp, exchangeUdp } from "./exchange.ts";
import {
  giveAnswer,
  plainQuery,
  recordsOf,
  storeAnswer,
  type StoredAnswer,
  upstreamQuestion,
} from "./upstream_message.ts";

export interface ForwarderLimits {
  /** Different questions under way; beyond it SERVFAIL. */
  readonly maxInFlight: number;
  /** For one try at one upstream. */
  readonly tryMs: number;
  /** Rounds over all upstreams. */
  readonly rounds: number;
}

export const defaultForwarderLimits: ForwarderLimits = {
  maxInFlight: 256,
  tryMs: 1_200,
  rounds: 2,
};

export interface ForwarderOptions {
  readonly upstreams: readonly HostPort[];
  readonly log: LogFn;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly limits?: Partial<ForwarderLimits>;
}

/** Asks others about names outside the mesh, and remembers what they said. */
export class Forwarder implements AsyncDisposable {
  readonly #options: ForwarderOptions;
  readonly #limits: ForwarderLimits;
  readonly cache = new AnswerCache();
  readonly #inFlight = new Map<string, Promise<StoredAnswer | null>>();
  readonly #stop = new AbortController();
  /** Index of the upstream that answered last: it is asked first. */
  #preferred = 0;
  readonly counters = { asked: 0, failed: 0, overload: 0 };

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#limits = { ...defaultForwarderLimits, ...options.limits };
  }

  /** An answer that is still good. */
  fromCache(query: Query, limit: number): Uint8Array<ArrayBuffer> | undefined {
    const found = this.cache.find(cacheKey(query), this.#options.now());
    return found === null ? undefined : giveAnswer(query, found.answer, found.age, limit);
  }

  /** The upstreams' answer; SERVFAIL when none has one. */
  async ask(query: Query, limit: number): Promise<Uint8Array<ArrayBuffer>> {
    const stored = await this.#once(query);
    if (stored !== null) return giveAnswer(query, stored, 0, limit);
    return encodeResponse(query, bareReply(rcode.servFail), { limit, recursion: true });
  }

  /** Addresses of a name outside the mesh, as records of that name, and the code of the answer. */
  async addresses(
    name: string,
    type: number,
  ): Promise<{ readonly rcode: number; readonly records: readonly WireRecord[] }> {
    const query = plainQuery(name, type);
    const found = this.cache.find(cacheKey(query), this.#options.now());
    const answer = found?.answer ?? await this.#once(query);
    if (answer === null) return { rcode: rcode.servFail, records: [] };
    return { rcode: answer.rcode, records: recordsOf(answer, name, type, found?.age ?? 0) };
  }

  /** Equal questions are asked once. */
  async #once(query: Query): Promise<StoredAnswer | null> {
    const key = cacheKey(query);
    let answer = this.#inFlight.get(key);
    if (answer === undefined && this.#inFlight.size < this.#limits.maxInFlight) {
      answer = this.#resolve(query).finally(() => this.#inFlight.delete(key));
      this.#inFlight.set(key, answer);
    }
    if (answer === undefined) this.counters.overload++;
    return await answer ?? null;
  }

  async #resolve(query: Query): Promise<StoredAnswer | null> {
    const { upstreams, now } = this.#options;
    const first = this.#preferred;
    let failure: StoredAnswer | null = null;
    for (let n = 0; n < upstreams.length * this.#limits.rounds; n++) {
      if (this.#stop.signal.aborted) return null;
      const chosen = (first + n) % upstreams.length;
      const answer = await this.#try(upstreams[chosen]!, query);
      if (answer === null) continue;
      // SERVFAIL and REFUSED are about the server, not about the name: another one may know.
      if (answer.rcode !== rcode.noError && answer.rcode !== rcode.nxDomain) {
        failure ??= answer;
        if (n + 1 >= upstreams.length) break;
        continue;
      }
      this.#preferred = chosen;
      this.cache.store(cacheKey(query), answer, now());
      return answer;
    }
    if (failure === null) this.counters.failed++;
    return failure;
  }

  async #try(upstream: HostPort, query: Query): Promise<StoredAnswer | null> {
    this.counters.asked++;
    try {
      const { message, verdict } = await this.#exchange(exchangeUdp, upstream, query);
      if (verdict === "answer") return storeAnswer(message, query.question.length);
      const whole = await this.#exchange(exchangeTcp, upstream, query);
      // Over TCP nobody else can speak: letters in another case are the server's habit.
      if (whole.verdict === "stranger") return null;
      return storeAnswer(whole.message, query.question.length);
    } catch (error) {
      this.#options.log("debug", "an upstream did not answer", {
        upstream: formatHostPort(upstream),
        error: errorText(error),
      });
      return null;
    }
  }

  async #exchange(exchange: Exchange, upstream: HostPort, query: Query): ReturnType<Exchange> {
    const random = crypto.getRandomValues(new Uint8Array(2 + 33));
    const stop = new AbortController();
    const abort = () => stop.abort(new Error("the node stops"));
    const timer = setTimeout(
      () => stop.abort(new Error(`no answer within ${this.#limits.tryMs} ms`)),
      this.#limits.tryMs,
    );
    this.#stop.signal.addEventListener("abort", abort, { once: true });
    try {
      return await exchange(upstream, upstreamQuestion(query, random), stop.signal);
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", abort);
    }
  }

  /** Gives up on what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#inFlight.values());
  }
}
