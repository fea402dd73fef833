import assert from "node:assert/strict";
import { join } from "node:path";
import { ApiKeyStore, maxApiKeys } from "./api_key_store.ts";

async function withStore(
  run: (context: {
    store: ApiKeyStore;
    path: string;
    reopen: () => ApiKeyStore;
    clock: { now: number };
  }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "api-keys.json");
    const clock = { now: 1_000_000 };
    const reopen = () => new ApiKeyStore(path, () => clock.now);
    await run({ store: reopen(), path, reopen, clock });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a key works after a restart, and the file has neither it nor its secret", async () => {
  await withStore(async ({ store, path, reopen }) => {
    assert.deepEqual(await store.list(), []);
    const made = await store.create("grafana", "read");
    assert.match(made.key, /^plk_[0-9a-f]{12}_[0-9a-f]{64}$/);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assert.equal((await Deno.readTextFile(path)).includes(made.key.slice(-64)), false);
    const found = await reopen().authenticate(made.key);
    assert.deepEqual([found?.id, found?.name, found?.role], [made.id, "grafana", "read"]);
  });
});

Deno.test("what is almost a key is none", async () => {
  await withStore(async ({ store }) => {
    const { key, id } = await store.create("", "admin");
    const other = await store.create("", "admin");
    const flipped = key.slice(0, -1) + (key.endsWith("0") ? "1" : "0");
    const mixed = `plk_${id}_${other.key.slice(-64)}`;
    const unknown = `plk_${"0".repeat(12)}_${key.slice(-64)}`;
    for (const wrong of ["", id, `${key} `, key.toUpperCase(), flipped, mixed, unknown]) {
      assert.equal(await store.authenticate(wrong), undefined, wrong);
    }
    assert.equal((await store.authenticate(key))?.id, id);
  });
});

Deno.test("when a key was last used is remembered, in memory", async () => {
  await withStore(async ({ store, reopen, clock }) => {
    const { key } = await store.create("a", "admin");
    assert.equal((await store.list())[0]?.lastUsedAt, null);
    clock.now = 2_000_000;
    await store.authenticate(key);
    assert.equal((await store.list())[0]?.lastUsedAt, new Date(2_000_000).toISOString());
    assert.equal((await reopen().list())[0]?.lastUsedAt, null);
  });
});

Deno.test("a rotated key works for its overlap and not a moment longer, also after a restart", async () => {
  await withStore(async ({ store, reopen, clock }) => {
    const old = await store.create("ci", "read");
    const fresh = await store.rotate(old.id, 60_000);
    assert.deepEqual([fresh.name, fresh.role], ["ci", "read"]);
    assert.notEqual(fresh.id, old.id);
    assert.equal((await store.authenticate(old.key))?.id, old.id);
    clock.now += 60_000;
    for (const keys of [store, reopen()]) {
      assert.equal(await keys.authenticate(old.key), undefined);
      assert.equal((await keys.authenticate(fresh.key))?.id, fresh.id);
      assert.deepEqual((await keys.list()).map(({ id }) => id), [fresh.id]);
    }
  });
});

Deno.test("without an overlap the old key works until it is revoked, and a second rotation does not prolong it", async () => {
  await withStore(async ({ store, clock }) => {
    const old = await store.create("ci", "admin");
    await store.rotate(old.id, null);
    clock.now += 10 ** 12;
    assert.equal((await store.authenticate(old.key))?.id, old.id);
    await store.rotate(old.id, 1_000);
    await store.rotate(old.id, 60_000);
    clock.now += 1_000;
    assert.equal(await store.authenticate(old.key), undefined);
    const last = await store.create("x", "admin");
    assert.equal((await store.revoke(last.id)).id, last.id);
    assert.equal(await store.authenticate(last.key), undefined);
    await assert.rejects(store.revoke(last.id), { code: "API_KEY_UNKNOWN" });
    await assert.rejects(store.rotate(last.id, 0), { code: "API_KEY_UNKNOWN" });
  });
});

Deno.test("keys made at the same time are all kept, up to the limit", async () => {
  await withStore(async ({ store, reopen }) => {
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => store.create(`${i}`, "read")),
    );
    assert.equal((await reopen().list()).length, 8);
    for (let i = 8; i < maxApiKeys; i++) await store.create("more", "read");
    await assert.rejects(store.create("", "read"), { code: "API_KEYS_FULL" });
  });
});

Deno.test("a file that others can use or that is damaged lets nobody in, and says why", async () => {
  await withStore(async ({ store, path, reopen }) => {
    const { key } = await store.create("a", "admin");
    await Deno.chmod(path, 0o640);
    await assert.rejects(reopen().authenticate(key), {
      code: "API_KEYS_UNAVAILABLE",
      message: /chmod 600/,
    });
    await Deno.chmod(path, 0o600);
    const text = await Deno.readTextFile(path);
    for (const damaged of ["", "{", text.replace('"admin"', '"root"'), '{"version":2,"keys":[]}']) {
      await Deno.writeTextFile(path, damaged);
      await assert.rejects(reopen().authenticate(key), { message: /damaged/ });
      await assert.rejects(reopen().create("b", "admin"), { code: "API_KEYS_UNAVAILABLE" });
    }
  });
});

Deno.test("a change that cannot be written has not happened", async () => {
  await withStore(async ({ store, path }) => {
    const { key, id } = await store.create("a", "admin");
    await Deno.remove(path);
    await Deno.mkdir(path);
    await assert.rejects(store.revoke(id), { code: "API_KEYS_UNAVAILABLE" });
    assert.equal((await store.authenticate(key))?.id, id);
  });
});
