import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** What a test cannot do without. */
export interface Needs {
  readonly root?: true;
  /** Programs on PATH. */
  readonly commands?: readonly string[];
  /** The Go toolchain, for interop tests. */
  readonly go?: true;
  /** Network namespaces with nft inside: root, `ip`, `nft`, and a kernel and container that allow them. */
  readonly namespaces?: true;
  /** `/dev/net/tun`. */
  readonly tun?: true;
}

/** Whether a test can run here. */
export interface Verdict {
  readonly ignore: boolean;
  /** What is missing, in words; empty when nothing is. */
  readonly reason: string;
}

/** Looks for what a test needs. */
export function requires(needs: Needs): Verdict {
  const commands = [
    ...needs.commands ?? [],
    ...(needs.go ? ["go"] : []),
    ...(needs.namespaces ? ["ip", "nft"] : []),
  ];
  const missing: string[] = [];
  if ((needs.root || needs.namespaces) && Deno.uid() !== 0) missing.push("root");
  missing.push(...commands.filter((name) => !onPath(name)).map((name) => `the command ${name}`));
  if (needs.tun && !usable("/dev/net/tun", constants.R_OK | constants.W_OK)) {
    missing.push("/dev/net/tun");
  }
  if (needs.namespaces && missing.length === 0 && !namespacesWork()) {
    missing.push("permission to make network namespaces");
  }
  return missing.length === 0
    ? { ignore: false, reason: "" }
    : { ignore: true, reason: `needs ${missing.join(" and ")}` };
}

/**
 * `Deno.test` for a test that needs something: skipped with the reason printed where it is missing, failed in CI
 * (`CI=true`), where nothing may be missing.
 */
export function labTest(
  name: string,
  needs: Needs,
  fn: (t: Deno.TestContext) => Promise<void>,
  verdict: Verdict = requires(needs),
): void {
  Deno.test(testDefinition(name, verdict, Deno.env.get("CI") === "true", fn));
}

/** What `labTest()` registers. */
export function testDefinition(
  name: string,
  { ignore, reason }: Verdict,
  ci: boolean,
  fn: (t: Deno.TestContext) => Promise<void>,
): Deno.TestDefinition {
  if (!ignore) return { name, fn };
  if (ci) return { name, fn: () => Promise.reject(new Error(`not run in CI: ${reason}`)) };
  console.log(`skipped: "${name}" ${reason}`);
  return { name, fn, ignore: true };
}

function onPath(name: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter);
  return folders.some((folder) => usable(join(folder, name), constants.X_OK));
}

function usable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    // Absent or not ours to use: either way it is missing.
    return false;
  }
}

let namespacesTried: boolean | undefined;

/** Root in a container may be without the right, so it is tried, once. */
function namespacesWork(): boolean {
  if (namespacesTried !== undefined) return namespacesTried;
  // Test files of one process try it at the same time.
  const name = `pulse-try-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const ip = (...args: string[]) =>
    new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).outputSync().success;
  const made = ip("netns", "add", name);
  namespacesTried = made && ip("netns", "exec", name, "nft", "list", "ruleset");
  if (made) ip("netns", "del", name);
  return namespacesTried;
}
