import { readLines } from "../lab/lines.ts";

const exitGraceMs = 5_000;

/** A Deno process that answers each JSON line on its standard input with one on its standard output. */
export class JsonChild implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: AsyncGenerator<string>;

  /** @param inside a command that runs another one: `ip netns exec NAME` */
  constructor(module: URL, args: readonly string[] = [], inside: readonly string[] = []) {
    const deno = [Deno.execPath(), "run", "-A", module.href, ...args];
    const [program = "", ...rest] = [...inside, ...deno];
    this.#child = new Deno.Command(program, {
      args: rest,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#answers = readLines(this.#child.stdout);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a command and waits for its answer. One at a time. */
  async call(command: unknown): Promise<Readonly<Record<string, unknown>>> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
    const { value, done } = await this.#answers.next();
    if (done) {
      throw new Error(
        `the process ended instead of answering (${(await this.#child.status).code})`,
      );
    }
    return JSON.parse(value);
  }

  /** Like `call`, for an answer that is one number under `key`. */
  async number(command: unknown, key: string): Promise<number> {
    const value = (await this.call(command))[key];
    if (typeof value !== "number") throw new Error(`no number "${key}" in the answer`);
    return value;
  }

  /** Closes its input, which ends it; kills it when that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    // The input of a process that has died already cannot be closed, and need not be.
    await this.#input.close().catch(() => {});
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), exitGraceMs);
    for await (const _ of this.#answers);
    await this.#child.status;
    clearTimeout(kill);
  }
}

/** The child's side: answers every command until the input ends. */
export async function answerCommands(
  handle: (
    command: Readonly<Record<string, unknown>>,
  ) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  for await (const line of readLines(Deno.stdin.readable)) {
    console.log(JSON.stringify(await handle(JSON.parse(line))));
  }
}
