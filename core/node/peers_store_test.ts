import assert from "node:assert/strict";
import { join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import { loadPeers, maxRememberedPeers, savePeers } from "./peers_store.ts";

const id = (n: number) => n.toString(16).padStart(32, "0");

async function inTemp(test: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(join(dir, "peers.json"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("peers survive a restart, for this user's eyes only, and not more than the limit", () =>
  inTemp(async (path) => {
    assert.deepEqual(await loadPeers(path), []);
    const peers = Array.from({ length: maxRememberedPeers + 5 }, (_, n) => ({
      id: id(n),
      addresses: [`10.0.0.1:${n + 1}`],
    }));
    await savePeers(path, peers);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(await loadPeers(path), peers.slice(0, maxRememberedPeers));
  }));

Deno.test("a damaged file is an error that names it, and is left as it is", () =>
  inTemp(async (path) => {
    for (const text of ["", "{", "[1]", '[{"id":"x","addresses":[]}]']) {
      await Deno.writeTextFile(path, text);
      await assert.rejects(
        loadPeers(path),
        (error) =>
          error instanceof PulseError && error.code === "PEERS_UNREADABLE" &&
          error.message.includes(path),
      );
      assert.equal(await Deno.readTextFile(path), text);
    }
  }));
