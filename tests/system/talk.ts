/** A program that is talked to: what it says is read as far as wanted, what it is told is written when wanted. */
export class Talk implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #in: WritableStreamDefaultWriter<Uint8Array>;
  readonly #out: ReadableStreamDefaultReader<Uint8Array>;
  readonly #errors: Promise<string>;
  readonly #status: Promise<Deno.CommandStatus>;
  #unread: Uint8Array = new Uint8Array(0);
  #inputEnded = false;

  /** @param argv the program and its arguments; it is killed with this object if it has not ended */
  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...args] = argv;
    this.#child = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#in = this.#child.stdin.getWriter();
    this.#out = this.#child.stdout.getReader();
    this.#errors = new Response(this.#child.stderr).text();
    this.#status = this.#child.status;
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    await this.#in.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  }

  /** The end of its input. */
  async end(): Promise<void> {
    this.#inputEnded = true;
    await this.#in.close();
  }

  /** Exactly so many bytes of its output. @throws {Error} it ends before; with what it wrote to stderr */
  async read(count: number): Promise<Uint8Array> {
    const got = await this.#take(() => this.#unread.length >= count);
    if (got.length < count) {
      throw new Error(`ended after ${got.length} of ${count} bytes: ${await this.#errors}`);
    }
    this.#unread = got.slice(count);
    return got.slice(0, count);
  }

  /** One line of its output, without its end. @throws {Error} it ends before */
  async line(): Promise<string> {
    const got = await this.#take(() => this.#unread.includes(10));
    const at = got.indexOf(10);
    if (at < 0) throw new Error(`ended without a line: ${await this.#errors}`);
    this.#unread = got.slice(at + 1);
    return new TextDecoder().decode(got.subarray(0, at));
  }

  /** Everything up to the end of its output. */
  async rest(): Promise<Uint8Array> {
    const got = await this.#take(() => false);
    this.#unread = new Uint8Array(0);
    return got;
  }

  /** Waits for its end. */
  async ended(): Promise<{ readonly code: number; readonly stderr: string }> {
    const { code } = await this.#status;
    return { code, stderr: await this.#errors };
  }

  async #take(enough: () => boolean): Promise<Uint8Array> {
    while (!enough()) {
      const { value, done } = await this.#out.read();
      if (done) break;
      const joined = new Uint8Array(this.#unread.length + value.length);
      joined.set(this.#unread);
      joined.set(value, this.#unread.length);
      this.#unread = joined;
    }
    return this.#unread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#status;
    await this.#errors;
    await this.#out.cancel();
    if (!this.#inputEnded) await this.#in.abort().catch(() => {/* nobody reads it any more */});
  }
}
