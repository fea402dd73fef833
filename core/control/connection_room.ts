interface Place {
  readonly close: () => void;
}

/**
 * Room for so many connections. When it is full, a new one takes the place of the oldest that has not shown a key yet: whoever opens many and
 * says little, or nothing, crowds out nobody but others like them.
 */
export class ConnectionRoom {
  readonly #most: number;
  /** By key, the oldest first. */
  readonly #unproven = new Map<string, Place>();
  readonly #proven = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#unproven.size + this.#proven.size;
  }

  /**
   * @param key names the connection for as long as it is open
   * @param close called when another one takes its place
   * @returns false: there is no place for it
   */
  enter(key: string, close: () => void): boolean {
    if (this.size >= this.#most) {
      const [oldest] = this.#unproven;
      if (oldest === undefined) return false;
      this.#unproven.delete(oldest[0]);
      oldest[1].close();
    }
    this.#unproven.set(key, { close });
    return true;
  }

  /** It has shown a key that is good: from now on its place is its own. */
  prove(key: string): void {
    if (this.#unproven.delete(key)) this.#proven.add(key);
  }

  leave(key: string): void {
    this.#unproven.delete(key);
    this.#proven.delete(key);
  }
}
