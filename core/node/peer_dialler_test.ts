import assert from "node:assert/strict";
import type { Link } from "./link_manager.ts";
import { Notifier } from "./notifier.ts";
import { PeerDialler } from "./peer_dialler.ts";
import { until } from "./testing.ts";
import type { Session } from "../sessions/types.ts";

Deno.test("an address that fails is not complained of while its node is linked in another way", async () => {
  const peer = "b".repeat(32);
  const link = {} as Link;
  const changed = new Notifier();
  let linked = true;
  let answers = true;
  await using dialler = new PeerDialler({
    self: "a".repeat(32),
    // No patience: every pause is as short as it gets.
    random: () => 0,
    dial: () =>
      answers
        ? Promise.resolve({ peer: { id: peer } } as Session)
        : Promise.reject(new Error("no answer")),
    dialQuic: undefined,
    link: () => linked ? link : undefined,
    changed,
    onSession: () => {},
    onFailure: () => Promise.resolve(),
    log: () => {},
  });
  const port = 8443;
  dialler.configured({ host: "192.0.2.1", port });
  await until("the first dial", () => dialler.failures.size === 0);
  answers = false;
  linked = false;
  changed.notify();
  await until("a failure", () => dialler.failures.get(`192.0.2.1:${port}`) === "no answer");
  linked = true;
  assert.equal(dialler.failures.size, 0);
});
