import { relative, resolve } from "node:path";

/** One call of `deno test`. */
export interface TestPhase {
  readonly title: string;
  readonly args: readonly string[];
}

export interface TestPlan {
  /** Unit tests; they use all cores by themselves. */
  readonly units: readonly TestPhase[];
  /** Whole systems, a process for each: many processes and real time, so only a few at once. */
  readonly systems: readonly TestPhase[];
  /**
   * Whole systems that mostly wait, such as for a minute of sleep to be over: a lane of their own beside the others, one after
   * the other, so that nobody waits for them. Their names end in `_waiting_test.ts`. What they do before and after the wait takes
   * processor time from the rest, so it is to be little.
   */
  readonly waiting: readonly TestPhase[];
  /** Test files whose types are checked together beforehand: once for each process would take longer than many of them do. */
  readonly check: readonly string[];
}

/** What the plan has to know of the repository. Paths are absolute. */
export interface TestTree {
  readonly root: string;
  exists(path: string): boolean;
  /** The test files below a folder, or the file itself; sorted. */
  testFiles(path: string): readonly string[];
}

const systemFolder = "tests";

/** Files that take longest begin first, so that none of them is alone at the end. */
const longest = /\/(crash|slow_loris|demo|simulation|relay_path|exit|renewal|udp_loss)/;

const mostlyWaits = /_waiting_test\.tsx?$/;

const everywhere = ["-A", "--sanitize-ops", "--sanitize-resources", "--permit-no-files"];

/**
 * Splits a test run into unit tests (in parallel) and whole systems (a process for each file that takes long, the small ones of
 * a folder together).
 *
 * @param args what the user typed: paths (as seen from the root) limit the run, everything else goes to `deno test` unchanged
 */
export function planTests(args: readonly string[], tree: TestTree): TestPlan {
  const { root } = tree;
  const isPath = (arg: string) => !arg.startsWith("-") && tree.exists(resolve(root, arg));
  const flags = args.filter((arg) => !isPath(arg));
  const named = args.filter(isPath);
  const paths = (named.length > 0 ? named : [root]).map((path) =>
    relative(root, resolve(root, path))
  );

  const inSystem = (path: string) => path === systemFolder || path.startsWith(`${systemFolder}/`);
  const units = paths.filter((path) => !inSystem(path));
  const systems = paths.includes("") ? [systemFolder] : paths.filter(inSystem);

  const found = groups(systems.flatMap((path) => tree.testFiles(resolve(root, path))), root);
  const check = found.length > 1 ? found.flatMap(({ files }) => files) : [];
  const systemFlags = [...everywhere, ...(check.length > 0 ? ["--no-check"] : []), ...flags];
  const phases = (waiting: boolean) =>
    found.filter(({ title }) => mostlyWaits.test(title) === waiting)
      .map(({ title, files }): TestPhase => ({ title, args: [...systemFlags, ...files] }));
  return {
    check,
    units: units.length === 0 ? [] : [{
      title: "unit tests, in parallel",
      args: [
        ...everywhere,
        "--parallel",
        `--ignore=${systemFolder}`,
        ...flags,
        ...units.map((p) => p || "."),
      ],
    }],
    systems: phases(false),
    waiting: phases(true),
  };
}

/** `tests/system`, `tests/security` and what mostly waits file by file, other folders of `tests/` each as one. */
function groups(
  files: readonly string[],
  root: string,
): readonly { readonly title: string; readonly files: readonly string[] }[] {
  const found = new Map<string, string[]>();
  for (const file of new Set(files.map((path) => relative(root, path)))) {
    const [top = "", folder = ""] = file.split("/");
    const alone = folder === "system" || folder === "security" || mostlyWaits.test(file);
    const title = alone ? file : `${top}/${folder}`;
    const group = found.get(title);
    if (group === undefined) found.set(title, [file]);
    else group.push(file);
  }
  const all = Array.from(found, ([title, of]) => ({ title, files: of }));
  return [
    ...all.filter(({ title }) => longest.test(title)),
    ...all.filter(({ title }) => !longest.test(title)),
  ];
}
