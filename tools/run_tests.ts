/**
 * `deno task test [paths] [flags of deno test]`: the whole suite.
 *
 * The last line printed is `N passed, N failed` (with `, N skipped` where so). Exit code 0 means: every part of the run
 * said so, at least one test ran, and, where `CI` is set, none was skipped.
 * @module
 */
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";
import { addCounts, countJunit, countLine, noTests, type TestCounts } from "./junit.ts";
import { planTests, type TestPhase, type TestTree } from "./test_plan.ts";

/** Beyond this a part hangs; a hung suite must still end with a count. */
const phaseLimitMs = 15 * 60_000;

/** Whole systems at once. They wait more than they work, and each must hold on a busy machine. */
const lanes = 2;

const root = join(import.meta.dirname!, "..");

const tree: TestTree = {
  root,
  exists: existsSync,
  testFiles: (path) =>
    statSync(path).isFile() ? [path] : globSync(`${path}/**/*_test.{ts,tsx}`).sort(),
};

type Result = TestCounts & { readonly ok: boolean };

/** Runs one part. Its output is printed as it comes, or `aside`: whole, when it is over. */
async function runPhase(phase: TestPhase, report: string, aside: boolean): Promise<Result> {
  const title = `\n== ${phase.title}`;
  if (!aside) console.log(title);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", `--junit-path=${report}`, ...phase.args],
    cwd: root,
    ...(aside && { stdout: "piped", stderr: "piped" }),
  }).spawn();
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, phaseLimitMs);
  const stop = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", stop);
  let success: boolean;
  if (aside) {
    const chunks: Uint8Array[] = [];
    const collect = async (stream: ReadableStream<Uint8Array>) => {
      for await (const chunk of stream) chunks.push(chunk);
    };
    await Promise.all([collect(child.stdout), collect(child.stderr)]);
    ({ success } = await child.status);
    console.log(title);
    for (const chunk of chunks) writeAll(chunk);
  } else {
    ({ success } = await child.status);
  }
  Deno.removeSignalListener("SIGTERM", stop);
  clearTimeout(limit);
  if (late) console.error(`${phase.title}: not over after ${phaseLimitMs / 60_000} minutes, ended`);

  const counts = existsSync(report) ? countJunit(await Deno.readTextFile(report)) : noTests;
  // A module that throws while it loads, or a runner that dies, is in no report.
  const failed = success ? counts.failed : Math.max(counts.failed, 1);
  return { ...counts, failed, ok: success };
}

async function typesFine(files: readonly string[]): Promise<boolean> {
  console.log("\n== types of whole systems");
  const check = new Deno.Command(Deno.execPath(), { args: ["check", "-q", ...files], cwd: root });
  return (await check.spawn().status).success;
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/** Names of the parts that failed, for the end: their output may be far above. */
async function runAll(directory: string): Promise<{ total: TestCounts; failed: string[] }> {
  const { units, systems, waiting, check } = planTests(Deno.args, tree);
  let total: TestCounts = noTests;
  const failed: string[] = [];
  let reports = 0;
  const run = async (phase: TestPhase, aside: boolean) => {
    const result = await runPhase(phase, join(directory, `${reports++}.xml`), aside);
    total = addCounts(total, result);
    if (!result.ok) failed.push(phase.title);
  };
  for (const phase of units) await run(phase, false);
  if (check.length > 0 && !await typesFine(check)) {
    total = addCounts(total, { ...noTests, failed: 1 });
    failed.push("types of whole systems");
  }
  const aside = systems.length + waiting.length > 1;
  const [ofSystems, ofWaiting] = [[...systems], [...waiting]];
  const lane = async (queue: TestPhase[]) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await run(next, aside);
    }
  };
  const drop = () => [ofSystems, ofWaiting].forEach((queue) => queue.splice(0));
  Deno.addSignalListener("SIGTERM", drop);
  await Promise.all([
    lane(ofWaiting),
    ...Array.from({ length: lanes }, () => lane(ofSystems)),
  ]);
  Deno.removeSignalListener("SIGTERM", drop);
  return { total, failed };
}

async function main(): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-test-" });
  let result: Awaited<ReturnType<typeof runAll>>;
  try {
    result = await runAll(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  const { total, failed } = result;
  let ok = failed.length === 0;

  if (!ok) console.error(`\nfailed: ${failed.join(", ")}`);
  if (total.passed + total.failed === 0) {
    console.error("No test ran: check the paths and --filter.");
    ok = false;
  }
  if (total.skipped > 0 && Deno.env.get("CI")) {
    console.error(
      "CI is set: a skipped test counts as a failure. What the tests need is in .ci/run.",
    );
    ok = false;
  }
  console.log(`\n${countLine(total)}`);
  return ok ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
