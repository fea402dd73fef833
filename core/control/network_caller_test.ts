import assert from "node:assert/strict";
import type { ApiKeyInfo } from "./api_key_store.ts";
import { failureRate, NetworkCallers, type Remote, requestRate } from "./network_caller.ts";

const info = (id: string, role: "admin" | "read"): ApiKeyInfo => ({
  id,
  name: "",
  role,
  createdAt: "",
  endsAt: null,
  lastUsedAt: null,
});
const keys: Readonly<Record<string, ApiKeyInfo>> = {
  plk_a: info("a", "admin"),
  plk_r: info("r", "read"),
};
const local: Remote = { address: "127.0.0.1", loopback: true, tunnelFrom: undefined };

function setup() {
  const clock = { now: 0 };
  const failures: Remote[] = [];
  const callers = new NetworkCallers({
    authenticate: (key) => Promise.resolve(keys[key]),
    now: () => clock.now,
    onFailure: (remote) => failures.push(remote),
  });
  const status = async (authorization: string | undefined, remote = local) => {
    const result = await callers.identify(authorization, remote);
    return "problem" in result ? result.problem.status : 200;
  };
  return { callers, clock, failures, status };
}

Deno.test("a caller is what its key says, named with where it comes from", async () => {
  const { callers } = setup();
  const remote: Remote = { address: "192.0.2.7", loopback: false, tunnelFrom: undefined };
  assert.deepEqual(await callers.identify("Bearer plk_r", remote), {
    role: "read",
    by: "key:r@192.0.2.7",
    onLoopback: false,
  });
  assert.deepEqual(await callers.identify("bearer plk_a", local), {
    role: "admin",
    by: "key:a@127.0.0.1",
    onLoopback: true,
  });
});

Deno.test("a tunnel that ends here is not this machine, and is named by the node it comes from", async () => {
  const { callers } = setup();
  assert.deepEqual(await callers.identify(undefined, { ...local, tunnelFrom: "4353" }), {
    role: "anonymous",
    by: "anonymous@4353",
    onLoopback: false,
  });
});

Deno.test("a wrong key is refused even where none would be needed", async () => {
  const { callers, status } = setup();
  for (
    const wrong of [
      "",
      "Bearer",
      "Bearer ",
      "Bearer plk_x",
      "plk_a",
      "Basic plk_a",
      "Bearer  plk_a",
    ]
  ) {
    assert.equal(await status(wrong), 401, wrong);
  }
  const refusal = await callers.identify("Bearer plk_x", local);
  assert.ok("problem" in refusal);
  assert.match(refusal.headers["www-authenticate"] ?? "", /^Bearer .*invalid_token/);
});

Deno.test("guessing is slowed down for its address alone, and never locks the right key out", async () => {
  const { clock, failures, status } = setup();
  for (let i = 0; i < failureRate.burst; i++) assert.equal(await status(`Bearer ${i}`), 401);
  assert.equal(await status("Bearer x"), 429);
  assert.equal(failures.length, failureRate.burst);
  assert.equal(await status("Bearer plk_a"), 200);
  assert.equal(await status("Bearer x", { ...local, address: "192.0.2.1" }), 401);
  clock.now += 5_000;
  assert.equal(await status("Bearer x"), 401);
  assert.equal(await status("Bearer x"), 429);
});

Deno.test("a key has one rate wherever it is used from, and each key its own", async () => {
  const { callers, clock, status } = setup();
  for (let i = 0; i < requestRate.burst; i++) {
    assert.equal(await status("Bearer plk_r", { ...local, address: `192.0.2.${i % 9}` }), 200);
  }
  const refusal = await callers.identify("Bearer plk_r", local);
  assert.ok("problem" in refusal);
  assert.deepEqual([refusal.problem.status, refusal.headers["retry-after"]], [429, "1"]);
  assert.equal(await status("Bearer plk_a"), 200);
  assert.equal(await status(undefined), 200);
  clock.now += 1_000;
  assert.equal(await status("Bearer plk_r"), 200);
});
