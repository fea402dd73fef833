import { relative, resolve } from "node:path";

/** One call of `deno test`. */
export interface TestPhase {
  readonly title: string;
  readonly args: readonly string[];
}

/** Whole systems: many processes, real time and all cores each, so they run one file after the other. */
const systemFolder = "tests";

const everywhere = ["-A", "--sanitize-ops", "--sanitize-resources", "--permit-no-files"];

/**
 * Splits a test run into unit tests (in parallel) and whole systems (one at a time).
 *
 * @param args what the user typed: paths (as seen from `root`) limit the run, everything else goes to `deno test` unchanged
 * @param root the repository
 * @param exists whether an argument names a file or folder
 */
export function planTests(
  args: readonly string[],
  root: string,
  exists: (path: string) => boolean,
): TestPhase[] {
  const isPath = (arg: string) => !arg.startsWith("-") && exists(resolve(root, arg));
  const flags = args.filter((arg) => !isPath(arg));
  const named = args.filter(isPath);
  const paths = (named.length > 0 ? named : [root]).map((path) =>
    relative(root, resolve(root, path))
  );

  const inSystem = (path: string) => path === systemFolder || path.startsWith(`${systemFolder}/`);
  const units = paths.filter((path) => !inSystem(path));
  const systems = paths.includes("") ? [systemFolder] : paths.filter(inSystem);

  const phases: TestPhase[] = [];
  if (units.length > 0) {
    phases.push({
      title: "unit tests, in parallel",
      args: [
        ...everywhere,
        "--parallel",
        `--ignore=${systemFolder}`,
        ...flags,
        ...units.map((p) => p || "."),
      ],
    });
  }
  if (systems.length > 0) {
    phases.push({
      title: "whole systems, one after the other",
      args: [...everywhere, ...flags, ...systems],
    });
  }
  return phases;
}
