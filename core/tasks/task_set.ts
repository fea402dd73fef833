/**
 * Work that goes on beside the code that started it. No promise is left without somebody who hears how it ended, and the owner can
 * wait for all of it before it is gone itself.
 */
export class TaskSet {
  readonly #tasks = new Set<Promise<void>>();
  readonly #failed: (error: unknown) => void;

  /** @param failed told of every task that rejects */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Tasks that have not ended. */
  get size(): number {
    return this.#tasks.size;
  }

  add(task: Promise<void>): void {
    const settled = task.catch(this.#failed).finally(() => this.#tasks.delete(settled));
    this.#tasks.add(settled);
  }

  /** Resolves when no task is left, those included that tasks start meanwhile. */
  async idle(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }
}
