/** One finding of `deno doc --lint`. */
export interface DocFinding {
  readonly code: string;
  readonly message: string;
  /** `path:line:column` */
  readonly where: string;
  /** The line of source it is about, trimmed. */
  readonly line: string;
}

/** Parses the text `deno doc --lint` writes (without colours). */
export function parseDocLint(text: string): DocFinding[] {
  const finding = /^error\[([\w-]+)\]: (.*)\n\s*--> (\S+)\n\s*\|\s*\n\s*\d+ \| (.*)$/gm;
  return [...text.matchAll(finding)].map(([, code = "", message = "", where = "", line = ""]) => ({
    code,
    message,
    where,
    line: line.trim(),
  }));
}

/**
 * Whether a finding breaks the house rule: public types are complete, and every exported function and class says what it
 * does. The stock rule wants a comment on each member and constant too; names like `serial: string` need none.
 */
export function isDocFault({ code, line }: DocFinding): boolean {
  return code !== "missing-jsdoc" || /^export (async |abstract )*(function|class)\b/.test(line);
}

/** Lints the documentation of public faces together, so that one may use the other's types. */
export async function docFaults(faces: readonly string[], cwd: string): Promise<DocFinding[]> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...faces],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return [];
  const text = new TextDecoder().decode(stderr);
  const findings = parseDocLint(text);
  const announced = Number(/Found (\d+) documentation lint error/.exec(text)?.[1] ?? NaN);
  if (findings.length !== announced) {
    throw new Error(`deno doc --lint said something this tool does not understand:\n${text}`);
  }
  return findings.filter(isDocFault);
}
