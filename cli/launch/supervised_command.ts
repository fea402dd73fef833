import { restartExitCode } from "../../core/node/restart_exit_code.ts";

/**
 * Starts the program with the configuration line that came on stdin, and again whenever it ends to be started again. A shell takes
 * a hundredth of the memory of a runtime; `read` and `printf` are built into it, so that the line, which holds secrets, is never on
 * a command line.
 */
const script = `
IFS= read -r config
while :; do
  printf '%s\\n' "$config" | "$@"
  code=$?
  [ "$code" -eq ${restartExitCode} ] || exit "$code"
done`;

/** The command that keeps a daemon: its last words are the program and its arguments. */
export function supervisedCommand(
  command: { readonly program: string; readonly args: readonly string[] },
): { program: string; args: string[] } {
  return {
    program: "/bin/sh",
    args: ["-c", script, "pulse-supervisor", command.program, ...command.args],
  };
}
