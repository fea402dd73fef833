/** How to run a command. */
export interface CommandOptions {
  readonly stdin?: string;
  /** @default {30000} */
  readonly timeoutMs?: number;
  /** On top of this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a command that ran gave. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. @throws {Error} it cannot be started or has not ended in time (and was killed) */
export async function run(
  argv: readonly string[],
  { stdin, timeoutMs = 30_000, env = {} }: CommandOptions = {},
): Promise<CommandResult> {
  const [program = "", ...args] = argv;
  const child = new Deno.Command(program, {
    args,
    env: { ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const fed = stdin === undefined ? undefined : feed(child, stdin);
    const { code, stdout, stderr } = await child.output();
    await fed;
    const text = new TextDecoder();
    const result = { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
    if (late) {
      throw new Error(`${argv.join(" ")}: not ended within ${timeoutMs} ms\n${result.stderr}`);
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a command that must succeed, for its output. @throws {Error} it fails: with its code and what it wrote */
export async function runOk(argv: readonly string[], options?: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code === 0) return stdout;
  throw new Error(`${argv.join(" ")}: exit code ${code}\n${stderr}${stdout}`);
}

async function feed(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch (error) {
    // The command has ended without reading its input: its exit code tells the rest.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
