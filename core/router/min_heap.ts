/** A binary heap of small integers ordered by a number, smallest first. */
export class MinHeap {
  readonly #keys: number[] = [];
  readonly #items: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(key: number, item: number): void {
    const keys = this.#keys;
    const items = this.#items;
    let at = items.length;
    keys.push(key);
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      items[at] = items[parent]!;
      at = parent;
    }
    keys[at] = key;
    items[at] = item;
  }

  /** The item with the smallest key; undefined when empty. */
  pop(): number | undefined {
    const keys = this.#keys;
    const items = this.#items;
    const top = items[0];
    const key = keys.pop();
    const item = items.pop();
    if (top === undefined || key === undefined || item === undefined) return undefined;
    const size = items.length;
    if (size === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= key) break;
      keys[at] = keys[child]!;
      items[at] = items[child]!;
      at = child;
    }
    keys[at] = key;
    items[at] = item;
    return top;
  }
}
