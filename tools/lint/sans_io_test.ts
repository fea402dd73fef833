import assert from "node:assert/strict";
import { lintSource } from "./testing.ts";

const engine = "core/gossip/engine.ts";
const found = (source: string, path = engine) =>
  lintSource(path, source).filter((line) => line.startsWith("pulse/sans-io"));

for (
  const source of [
    `Deno.readTextFileSync("x");`,
    `const { readFile } = Deno;`,
    `setTimeout(() => {}, 1);`,
    `const t = Date.now();`,
    `const t = new Date();`,
    `const t = performance.now();`,
    `const r = Math.random();`,
    `crypto.getRandomValues(new Uint8Array(1));`,
    `const s = AbortSignal.timeout(1);`,
    `await fetch("x");`,
    `import { readFile } from "node:fs/promises";`,
    `import { setTimeout as sleep } from "node:timers/promises";`,
    `import { connect, isIP } from "node:net";`,
    `import "node:net";`,
    `import { randomBytes } from "node:crypto";`,
    `const o = { setTimeout };`,
  ]
) {
  Deno.test(`a sans-I/O module may not say ${source}`, () => {
    assert.equal(found(source).length > 0, true);
  });
}

Deno.test("a sans-I/O module may use given time, given randomness and pure functions of built-ins", () => {
  const source = `
    import { createHash, verify } from "node:crypto";
    import { isIP, isIPv6 } from "node:net";
    export function tick(now: number, random: () => number) { return new Date(now + random()); }
    export interface Timers { setTimeout(ms: number): void; performance: number }
    export const f = (timers: Timers) => timers.setTimeout(3) ?? { fetch: 1 };
  `;
  assert.deepEqual(found(source), []);
});

Deno.test("tests, test helpers and other modules may use timers", () => {
  for (
    const path of ["core/gossip/engine_test.ts", "core/gossip/testing.ts", "core/node/adapter.ts"]
  ) {
    assert.deepEqual(found("setTimeout(() => {}, Date.now());", path), []);
  }
});
