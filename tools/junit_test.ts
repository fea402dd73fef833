import assert from "node:assert/strict";
import { addCounts, countJunit, countLine, noTests } from "./junit.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.022">
    <testsuite name="./a_test.ts" tests="5" disabled="2" errors="0" failures="1">
        <testcase name="passes &amp; says &lt;skipped/&gt;" classname="./a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="fails" classname="./a_test.ts" time="0.000" line="2" col="6">
            <failure message="Uncaught Error: x">Error: x &lt;skipped/&gt; y</failure>
        </testcase>
        <testcase name="ignored" classname="./a_test.ts" time="0.000" line="3" col="6">
            <skipped/>
        </testcase>
        <testcase name="left out by --filter" classname="./a_test.ts" line="4" col="6">
            <skipped/>
        </testcase>
        <testcase name="steps &gt; one" classname="./a_test.ts" time="0.000" line="5" col="43">
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("passed, failed and ignored cases are counted, filtered ones are not", () => {
  assert.deepEqual(countJunit(report), { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("a report without cases counts nothing", () => {
  assert.deepEqual(countJunit(`<testsuites name="deno test" tests="0"></testsuites>`), noTests);
});

Deno.test("the count line names skipped tests only when there are some", () => {
  assert.equal(countLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assert.equal(countLine({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});

Deno.test("counts of two runs add up", () => {
  const sum = addCounts({ passed: 1, failed: 2, skipped: 3 }, {
    passed: 10,
    failed: 20,
    skipped: 30,
  });
  assert.deepEqual(sum, { passed: 11, failed: 22, skipped: 33 });
});
