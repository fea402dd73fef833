/**
 * `deno task test [paths] [flags of deno test]`: the whole suite.
 *
 * The last line printed is `N passed, N failed` (with `, N skipped` where so). Exit code 0 means: every phase of the runner
 * said so, at least one test ran, and, where `CI` is set, none was skipped.
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { addCounts, countJunit, countLine, noTests, type TestCounts } from "./junit.ts";
import { planTests, type TestPhase } from "./test_plan.ts";

/** Beyond this the suite hangs; a hung suite must still end with a count. */
const phaseLimitMs = 15 * 60_000;

const root = join(import.meta.dirname!, "..");

async function runPhase(phase: TestPhase, report: string): Promise<TestCounts & { ok: boolean }> {
  console.log(`\n== ${phase.title}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", `--junit-path=${report}`, ...phase.args],
    cwd: root,
  }).spawn();
  const limit = setTimeout(() => {
    console.error(`${phase.title}: not over after ${phaseLimitMs / 60_000} minutes, ended`);
    child.kill("SIGKILL");
  }, phaseLimitMs);
  const stop = () => child.kill("SIGTERM");
  Deno.addSignalListener("SIGTERM", stop);
  const { success } = await child.status;
  Deno.removeSignalListener("SIGTERM", stop);
  clearTimeout(limit);

  const counts = existsSync(report) ? countJunit(await Deno.readTextFile(report)) : noTests;
  // A module that throws while it loads, or a runner that dies, is in no report.
  const failed = success ? counts.failed : Math.max(counts.failed, 1);
  return { ...counts, failed, ok: success };
}

async function main(): Promise<number> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-test-" });
  let total = noTests;
  let ok = true;
  try {
    const phases = planTests(Deno.args, root, existsSync);
    for (const [index, phase] of phases.entries()) {
      const result = await runPhase(phase, join(directory, `${index}.xml`));
      total = addCounts(total, result);
      ok &&= result.ok;
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }

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
