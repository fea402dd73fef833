import assert from "node:assert/strict";
import { Lag } from "./lag.ts";

Deno.test("a process that could not go on was kept waiting that long, also when it looks before its timers run", async () => {
  using lag = new Lag();
  const busyUntil = performance.now() + 120;
  while (performance.now() < busyUntil);
  assert.ok(lag.worstMs >= 100, `${lag.worstMs}`);
  const { worstMs } = lag;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(lag.worstMs >= worstMs);
});
