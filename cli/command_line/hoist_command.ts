import { commandNames } from "./command_names.ts";

/**
 * Lets the options that all commands share stand before the command: `pulse --data-dir D status` means `pulse status --data-dir D`. Any
 * other order is the parser's business.
 */
export function hoistCommand(args: readonly string[]): string[] {
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? "";
    if (arg === "--json" || arg.startsWith("--data-dir=")) at += 1;
    else if (arg === "--data-dir") at += 2;
    else break;
  }
  const word = args[at];
  if (at === 0 || word === undefined || !commandNames.includes(word)) return [...args];
  // Behind the command and its own sub-command, options may stand anywhere.
  return [...args.slice(at), ...args.slice(0, at)];
}
