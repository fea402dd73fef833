/** The process around a command, so that a test can be one. */
export interface CliIo {
  /** Writes all of the text. */
  stdout(text: string): void;
  stderr(text: string): void;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal; undefined when there is none. */
  readonly columns: number | undefined;
  env(name: string): string | undefined;
  readonly cwd: string;
  /** Aborts on SIGINT and SIGTERM; the first call begins to listen for them. */
  interrupted(): AbortSignal;
}

/** @returns the real process */
export function processIo(): CliIo & Disposable {
  const encoder = new TextEncoder();
  const writeAll = (stream: { writeSync(bytes: Uint8Array): number }, text: string) => {
    const bytes = encoder.encode(text);
    let written = 0;
    while (written < bytes.length) written += stream.writeSync(bytes.subarray(written));
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  let interrupt: AbortController | undefined;
  const onSignal = () => interrupt?.abort();
  return {
    stdout: (text) => writeAll(Deno.stdout, text),
    stderr: (text) => writeAll(Deno.stderr, text),
    stdoutIsTerminal: Deno.stdout.isTerminal(),
    stderrIsTerminal: Deno.stderr.isTerminal(),
    columns: terminalColumns(),
    env: (name) => Deno.env.get(name),
    cwd: Deno.cwd(),
    interrupted() {
      if (interrupt === undefined) {
        interrupt = new AbortController();
        for (const signal of signals) Deno.addSignalListener(signal, onSignal);
      }
      return interrupt.signal;
    },
    [Symbol.dispose]() {
      if (interrupt !== undefined) {
        for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
      }
    },
  };
}

function terminalColumns(): number | undefined {
  if (!Deno.stdout.isTerminal()) return undefined;
  try {
    const { columns } = Deno.consoleSize();
    return columns > 0 ? columns : undefined;
  } catch {
    // A terminal that does not know its size: lines are then as long as they are.
    return undefined;
  }
}
