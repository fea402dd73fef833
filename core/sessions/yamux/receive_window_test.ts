import assert from "node:assert/strict";
import fc from "fast-check";
import { INITIAL_WINDOW } from "./frame.ts";
import { ReceiveWindow } from "./receive_window.ts";

const MAX = 4 * 1024 * 1024;

Deno.test("more than was granted is refused", () => {
  const window = new ReceiveWindow(MAX, { left: 0 }, 0);
  assert.equal(window.receive(INITIAL_WINDOW), true);
  assert.equal(window.receive(1), false);
  assert.equal(window.receive(0), true);
});

Deno.test("credit comes back when half a window was read", () => {
  const window = new ReceiveWindow(MAX, { left: 0 }, 0);
  window.receive(INITIAL_WINDOW);
  assert.equal(window.consume(INITIAL_WINDOW / 2 - 1, 1000, 0), 0);
  assert.equal(window.consume(1, 1000, 0), INITIAL_WINDOW / 2);
  assert.equal(window.available, INITIAL_WINDOW / 2);
});

Deno.test("a reader that keeps up gets 4 MiB, a slow one keeps 256 KiB", () => {
  for (const [pauseMs, limit] of [[1, MAX], [1000, INITIAL_WINDOW]] as const) {
    const window = new ReceiveWindow(MAX, { left: MAX }, 0);
    for (let now = 0, round = 0; round < 40; round++) {
      now += pauseMs;
      const bytes = window.available;
      assert.ok(window.receive(bytes));
      window.consume(bytes, now, 0);
    }
    assert.equal(window.limit, limit);
  }
});

Deno.test("the longer the round trip, the slower a reader may be and still be what the window holds up", () => {
  const grown = (roundTripMs: number) => {
    const window = new ReceiveWindow(MAX, { left: MAX }, 0);
    window.receive(INITIAL_WINDOW);
    window.consume(INITIAL_WINDOW, 150, roundTripMs);
    return window.limit > INITIAL_WINDOW;
  };
  assert.equal(grown(100), true);
  assert.equal(grown(50), false);
});

Deno.test("all windows of a session grow out of one budget, and give it back", () => {
  const budget = { left: 3 * INITIAL_WINDOW };
  const windows = [1, 2, 3].map(() => new ReceiveWindow(MAX, budget, 0));
  for (const window of windows) {
    for (let round = 0; round < 10; round++) {
      const bytes = window.available;
      window.receive(bytes);
      window.consume(bytes, round, 0);
    }
  }
  assert.deepEqual(windows.map((window) => window.limit / INITIAL_WINDOW), [4, 1, 1]);
  assert.equal(budget.left, 0);
  for (const window of windows) {
    window.release();
    window.release();
  }
  assert.equal(budget.left, 3 * INITIAL_WINDOW);
});

Deno.test("available, waiting and unreturned bytes always add up to the limit, which stays within bounds", () => {
  const step = fc.tuple(fc.nat(600_000), fc.nat(600_000), fc.nat(50));
  fc.assert(fc.property(fc.array(step), (steps) => {
    const window = new ReceiveWindow(MAX, { left: 2 * MAX }, 0);
    let now = 0;
    let waiting = 0;
    let unreturned = 0;
    for (const [wantReceive, wantRead, elapsed] of steps) {
      now += elapsed;
      const received = Math.min(wantReceive, window.available);
      assert.ok(window.receive(received));
      waiting += received;
      const read = Math.min(wantRead, waiting);
      waiting -= read;
      unreturned += read;
      if (window.consume(read, now, 5) > 0) unreturned = 0;
      assert.equal(window.available + waiting + unreturned, window.limit);
      assert.ok(window.limit >= INITIAL_WINDOW && window.limit <= MAX);
    }
  }));
});
