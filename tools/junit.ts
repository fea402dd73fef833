/** What one run of the test runner came to. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/**
 * Counts the test cases of a JUnit report as `deno test --junit-path` writes it.
 *
 * The totals in the report's head are not used: they count a test that `--filter` left out as skipped. Such a test has no
 * `time` attribute, an ignored one has.
 */
export function countJunit(xml: string): TestCounts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  // Text and attributes are escaped in the report, so these tags cannot come from a test's own words.
  for (const match of xml.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const [, attributes = "", body = ""] = match;
    if (/<(failure|error)[ >]/.test(body)) failed++;
    else if (!body.includes("<skipped/>")) passed++;
    else if (/(^| )time="/.test(attributes)) skipped++;
  }
  return { passed, failed, skipped };
}

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** `12 passed, 0 failed`, with `, 1 skipped` where so. */
export function countLine(counts: TestCounts): string {
  const { passed, failed, skipped } = counts;
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
