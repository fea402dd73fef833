import assert from "node:assert/strict";
import { Arena } from "./arena.ts";
import { FfiError } from "./errors.ts";
import { EventFd } from "./event_fd.ts";
import { Libc } from "./libc.ts";
import { Poller, Ready } from "./poller.ts";

Deno.test("an event wakes the poller once, however often it was signalled", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  using event = new EventFd(libc, arena);
  const poller = new Poller(libc, arena, 2);
  poller.set(1, event.fd, Ready.read);
  assert.equal(poller.wait(0), 0);
  for (let i = 0; i < 3; i++) event.signal();
  assert.equal(poller.wait(-1), 1);
  assert.deepEqual([poller.ready(0), poller.ready(1)], [0, Ready.read]);
  assert.deepEqual([event.clear(), event.clear()], [true, false]);
  assert.equal(poller.wait(0), 0);
});

Deno.test("waiting on another thread leaves the event loop running", async () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  using event = new EventFd(libc, arena);
  const poller = new Poller(libc, arena, 1);
  poller.set(0, event.fd, Ready.read);
  const waiting = poller.waitAsync(60_000);
  event.signal();
  assert.equal(await waiting, 1);
  assert.equal(poller.ready(0), Ready.read);
});

Deno.test("a file that is not open is told, a slot without one is skipped", () => {
  using libc = Libc.open();
  using arena = new Arena(libc, 4096);
  const poller = new Poller(libc, arena, 2);
  poller.set(0, 0x3fff_ffff, Ready.read); // beyond any limit
  assert.equal(poller.wait(0), 1);
  assert.equal(poller.ready(0), Ready.invalid);
  poller.set(0, -1, 0);
  assert.equal(poller.wait(0), 0);
  assert.throws(() => poller.set(2, 0, 0), FfiError);
});
