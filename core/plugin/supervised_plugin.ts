import { errorText, PulseError } from "../errors/mod.ts";
import { PluginError } from "./errors.ts";
import type { PluginInstance } from "./instance.ts";
import type { PluginSurface } from "./surface.ts";
import type { Json, LogFn, PluginStatus } from "./types.ts";

/** When a plugin that ended by itself is started again. */
export interface RestartPolicy {
  /** Starts in a row that may fail; then it stays down until the daemon is started anew. @default 5 */
  readonly maxRestarts: number;
  /** Doubles with every start in a row. @default 500 */
  readonly firstDelayMs: number;
  /** @default 30000 */
  readonly maxDelayMs: number;
  /** Having run for this long, a plugin is forgiven its earlier ends. @default 60000 */
  readonly stableMs: number;
}

export const defaultRestartPolicy: RestartPolicy = {
  maxRestarts: 5,
  firstDelayMs: 500,
  maxDelayMs: 30_000,
  stableMs: 60_000,
};

export interface SupervisorOptions {
  readonly name: string;
  readonly log: LogFn;
  readonly restart: RestartPolicy;
  /** Begins a life: loads the module and runs the factory. */
  launch(config: Json): Promise<PluginInstance>;
  /** Looks at what a new life offers before it starts; throws to refuse it. */
  admit(surface: PluginSurface): void;
}

/** Keeps one plugin running: starts it, starts it again when it ends by itself, gives up when that happens too often. */
export class SupervisedPlugin {
  readonly name: string;
  readonly #options: SupervisorOptions;
  #config: Json;
  #instance: PluginInstance | undefined;
  #surface: PluginSurface | undefined;
  #failures = 0;
  #restarts = 0;
  #detail = "not started";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  /** Starts, restarts and stops, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions, config: Json) {
    this.name = options.name;
    this.#options = options;
    this.#config = config;
  }

  /** The running life. @throws {PluginError} PLUGIN_DOWN */
  get instance(): PluginInstance {
    if (this.#instance !== undefined) return this.#instance;
    throw new PluginError("PLUGIN_DOWN", `plugin ${this.name} is not running: ${this.#detail}`, {
      plugin: this.name,
    });
  }

  get running(): PluginInstance | undefined {
    return this.#instance;
  }

  /** What it offers, or offered when it last ran. */
  get surface(): PluginSurface | undefined {
    return this.#surface;
  }

  get config(): Json {
    return this.#config;
  }

  /** Starts after the first one. */
  get restarts(): number {
    return this.#restarts;
  }

  get status(): PluginStatus {
    const state = this.#instance !== undefined ? "running" : this.#stopped ? "stopped" : "failed";
    return { name: this.name, state, detail: this.#detail };
  }

  /** Never rejects: a plugin that cannot start costs the node this plugin only. */
  start(): Promise<void> {
    return this.#queue(() => this.#start());
  }

  /** Ends the life and begins another one with a new configuration. Never rejects. */
  restartWith(config: Json): Promise<void> {
    this.#config = config;
    return this.#queue(async () => {
      clearTimeout(this.#timer);
      await this.#end();
      this.#failures = 0;
      await this.#start();
    });
  }

  /** The configuration of the next life; this one was told. */
  keepConfig(config: Json): void {
    this.#config = config;
  }

  /** `onStop`, then the end. Never rejects. */
  stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#queue(async () => {
      clearTimeout(this.#timer);
      await this.#end();
      this.#detail = "stopped";
    });
  }

  #queue(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }

  async #start(): Promise<void> {
    if (this.#stopped || this.#instance !== undefined) return;
    const { log } = this.#options;
    let instance: PluginInstance | undefined;
    try {
      instance = await this.#options.launch(this.#config);
      this.#options.admit(instance.surface);
      await instance.invoke("start");
    } catch (error) {
      await instance?.stop();
      return this.#failed(error);
    }
    this.#instance = instance;
    this.#surface = instance.surface;
    this.#detail = "running";
    log("info", "plugin is up", { plugin: this.name });
    const startedAt = performance.now();
    void instance.crashed.then((error) => {
      if (this.#instance !== instance) return;
      this.#instance = undefined;
      if (performance.now() - startedAt >= this.#options.restart.stableMs) this.#failures = 0;
      this.#failed(error);
    });
  }

  #failed(error: unknown): void {
    const { log, restart } = this.#options;
    const text = errorText(error);
    const code = error instanceof PulseError ? error.code : "UNEXPECTED";
    this.#failures++;
    if (error instanceof PulseError && error.fields.permanent === true) {
      this.#detail = text;
      log("error", "plugin cannot run here and stays down", {
        plugin: this.name,
        code,
        error: text,
      });
      return;
    }
    if (this.#stopped || this.#failures > restart.maxRestarts) {
      this.#detail = `${text} (gave up after ${restart.maxRestarts} restarts)`;
      log("error", "plugin failed too often and stays down", {
        plugin: this.name,
        code,
        error: text,
      });
      return;
    }
    const delayMs = Math.min(
      restart.firstDelayMs * 2 ** (this.#failures - 1),
      restart.maxDelayMs,
    );
    this.#detail = `${text} (restart ${this.#failures} of ${restart.maxRestarts})`;
    log("error", "plugin failed", { plugin: this.name, code, error: text, restartInMs: delayMs });
    this.#timer = setTimeout(() => {
      this.#restarts++;
      void this.start();
    }, delayMs);
  }

  async #end(): Promise<void> {
    const instance = this.#instance;
    this.#instance = undefined;
    await instance?.stop();
  }
}
