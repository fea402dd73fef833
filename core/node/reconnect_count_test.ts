import assert from "node:assert/strict";
import { ReconnectCount } from "./reconnect_count.ts";

Deno.test("a peer's first link is none that came back, every later one is", () => {
  const reconnects = new ReconnectCount();
  for (const peer of ["a", "b", "a", "c", "a"]) reconnects.linked(peer);
  assert.equal(reconnects.count, 2);
});

Deno.test("beyond ten thousand peers nobody new is remembered", () => {
  const reconnects = new ReconnectCount();
  for (let n = 0; n <= 10_000; n++) reconnects.linked(`${n}`);
  reconnects.linked("10000");
  assert.equal(reconnects.count, 0);
  reconnects.linked("9999");
  assert.equal(reconnects.count, 1);
});
