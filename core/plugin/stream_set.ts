import type { ByteStream } from "../sessions/types.ts";
import { PluginError } from "./errors.ts";

/** The streams one plugin has open, both those it opened and those it serves: counted, limited, and reset with it. */
export class StreamSet {
  readonly #plugin: string;
  readonly #max: number;
  readonly #streams = new Set<ByteStream>();
  #reserved = 0;
  #over = false;

  constructor(plugin: string, max: number) {
    this.#plugin = plugin;
    this.#max = max;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Makes room for one stream, which `open` then brings. @throws {PluginError} PLUGIN_OVERLOADED; what `open` throws */
  async add<T extends ByteStream>(open: () => T | Promise<T>): Promise<T> {
    if (this.#streams.size + this.#reserved >= this.#max) {
      throw new PluginError(
        "PLUGIN_OVERLOADED",
        `plugin ${this.#plugin} has ${this.#max} streams open, which is the limit`,
        { plugin: this.#plugin },
      );
    }
    this.#reserved++;
    try {
      const stream = await open();
      this.#streams.add(stream);
      void stream.closed.then(() => this.#streams.delete(stream));
      if (this.#over) stream.reset();
      return stream;
    } finally {
      this.#reserved--;
    }
  }

  /** Resets every stream, and those still to come. */
  end(): void {
    this.#over = true;
    for (const stream of this.#streams) stream.reset();
  }
}
