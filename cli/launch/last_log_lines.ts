import { readTail } from "../log_view/read_tail.ts";
import { showLine } from "../log_view/show_line.ts";

/**
 * The end of a log for people, escaped.
 * @param options.since only lines logged at or after this time, ms; lines without a time count as new
 */
export async function lastLogLines(
  path: string,
  options: { readonly count: number; readonly since?: number },
): Promise<string[]> {
  const { lines } = await readTail(path, options.count);
  const since = options.since ?? 0;
  return lines.filter((line) => timeOf(line) >= since).map((line) => showLine(line, false));
}

function timeOf(line: string): number {
  const match = /^\{"ts":"([^"]+)"/.exec(line);
  return match?.[1] === undefined ? Infinity : Date.parse(match[1]);
}
