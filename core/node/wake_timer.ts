/** Runs a sans-I/O engine's `tick` when its `nextWake` says so; one timer whatever happens in between. */
export class WakeTimer implements Disposable {
  readonly #tick: (now: number) => void;
  readonly #nextWake: () => number;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;
  #stopped = false;

  constructor(options: { tick: (now: number) => void; nextWake: () => number; now: () => number }) {
    this.#tick = options.tick;
    this.#nextWake = options.nextWake;
    this.#now = options.now;
  }

  /** Looks at `nextWake` again; call it after every input to the engine. */
  update(): void {
    if (this.#stopped) return;
    const due = this.#nextWake();
    if (due === this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    if (due === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      this.#tick(this.#now());
      this.update();
    }, Math.min(Math.max(0, due - this.#now()), 0x7fff_ffff));
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
