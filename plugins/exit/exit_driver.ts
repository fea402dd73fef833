import { errorCode, errorText } from "../../core/errors/mod.ts";
import type { HostServices, LogFn } from "../../core/plugin/types.ts";
import type { HostState, Reconciled } from "./host_changes/host_state.ts";
import { planExit } from "./plan/plan_exit.ts";
import { planUser } from "./plan/plan_user.ts";
import { readSnapshot } from "./plan/read_snapshot.ts";
import type { ExitSnapshot, HostFacts } from "./plan/types.ts";

/** What no hook tells of is seen at the latest after this: an interface, a route, another exit. */
const lookMs = 1_000;
/** What changes within this time is looked at once. */
const gatherMs = 50;

export interface ExitDriverOptions {
  readonly call: HostServices["call"];
  readonly state: HostState;
  look(): HostFacts;
  readonly log: LogFn;
}

/** Keeps the machine as exits and those who use them want it; on disposal it is as it was before. */
export class ExitDriver implements AsyncDisposable {
  readonly #options: ExitDriverOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: (() => void) | undefined;
  #failure = "";
  #snapshot: ExitSnapshot | undefined;

  constructor(options: ExitDriverOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Something in the mesh is different. */
  soon(): void {
    this.#wake?.();
  }

  /** What cannot be done; empty when all is well. */
  get failure(): string {
    return this.#failure;
  }

  /** Ranges that others are led to, and ranges that are reached through others. */
  get ranges(): { readonly own: number; readonly active: number } {
    const { own = [], active = [] } = this.#snapshot ?? {};
    return { own: own.length, active: active.length };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.#failed([error]);
      }
      await this.#pause(lookMs);
      await this.#pause(gatherMs);
    }
  }

  async #look(): Promise<void> {
    const { call, state, look } = this.#options;
    let snapshot: ExitSnapshot;
    try {
      snapshot = readSnapshot(await call("exits", "snapshot", null));
    } catch (error) {
      // Before it has joined a node leads nowhere, and what an earlier run has left stays until it is known what is wanted.
      if (errorCode(error) === "NODE_NOT_JOINED") return;
      throw error;
    }
    if (this.#stop.signal.aborted) return;
    this.#snapshot = snapshot;
    const facts = look();
    this.#told(state.reconcile([...planExit(snapshot, facts), ...planUser(snapshot, facts)]));
  }

  #told({ applied, undone, failures }: Reconciled): void {
    if (applied + undone > 0) {
      this.#options.log("info", "the machine's routing was changed", {
        applied,
        undone,
        now: this.#options.state.entries.length,
      });
    }
    this.#failed(failures);
  }

  /** The same failure is said once. */
  #failed(failures: readonly unknown[]): void {
    const text = failures.length === 0 ? "" : errorText(failures[0]);
    if (text === this.#failure) return;
    this.#failure = text;
    if (text === "") this.#options.log("info", "routing can be changed again");
    else this.#options.log("error", "routing could not be changed", { error: text });
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#stop.signal.aborted) return;
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    this.#told(this.#options.state.reconcile([]));
  }
}
