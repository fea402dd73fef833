import type { CliIo } from "./io.ts";

/** For tests: a process that only remembers what was printed. */
export interface TestIo extends CliIo {
  readonly out: string[];
  readonly errors: string[];
  readonly interrupt: AbortController;
}

export function testIo(changes: Partial<CliIo> & { readonly home?: string } = {}): TestIo {
  const out: string[] = [];
  const errors: string[] = [];
  const interrupt = new AbortController();
  const { home = "/nonexistent", ...rest } = changes;
  return {
    stdout: (text) => void out.push(text),
    stderr: (text) => void errors.push(text),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: undefined,
    env: (name) => name === "HOME" ? home : undefined,
    cwd: "/nonexistent",
    interrupted: () => interrupt.signal,
    out,
    errors,
    interrupt,
    ...rest,
  };
}
