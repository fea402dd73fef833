import assert from "node:assert/strict";
import { createFileOnce, removeStaleTemporaries, writeFileAtomic } from "./atomic_file.ts";

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-file-" });
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map((entry) => entry.name).sort();
}

Deno.test("an atomic write replaces contents and mode and leaves nothing else behind", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "old", { mode: 0o644 });
    await writeFileAtomic(path, "new", { mode: 0o600 });
    assert.equal(await Deno.readTextFile(path), "new");
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(await names(directory), ["file"]);
  });
});

Deno.test("a failed write leaves the old contents and no temporary file", async () => {
  await withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/taken/inside`, { recursive: true });
    await assert.rejects(writeFileAtomic(`${directory}/taken`, "x", { mode: 0o600 }));
    await assert.rejects(writeFileAtomic(`${directory}/absent/file`, "x", { mode: 0o600 }));
    assert.deepEqual(await names(directory), ["taken"]);
  });
});

Deno.test("readers during many replacements see whole contents only", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/file`;
    const contents = [..."ab"].map((letter) => letter.repeat(100_000));
    await writeFileAtomic(path, contents[0]!, { mode: 0o600 });
    let done = false;
    const writer = (async () => {
      for (let i = 0; i < 20; i++) await writeFileAtomic(path, contents[i % 2]!, { mode: 0o600 });
      done = true;
    })();
    while (!done) assert.ok(contents.includes(await Deno.readTextFile(path)));
    await writer;
  });
});

Deno.test("of many creators of a file exactly one succeeds", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/file`;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => createFileOnce(path, String(i), { mode: 0o600 })),
    );
    assert.equal(results.filter((created) => created).length, 1);
    assert.equal(await Deno.readTextFile(path), String(results.indexOf(true)));
    assert.deepEqual(await names(directory), ["file"]);
  });
});

Deno.test("temporary files a crash left are removed once they are old", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/file`;
    for (const name of [".file.0011.tmp", ".file.2233.tmp", ".other.0011.tmp", "file"]) {
      await Deno.writeTextFile(`${directory}/${name}`, "");
    }
    const now = Date.now();
    await Deno.utime(`${directory}/.file.0011.tmp`, now / 1000 - 120, now / 1000 - 120);
    await removeStaleTemporaries(path, now);
    assert.deepEqual(await names(directory), [".file.2233.tmp", ".other.0011.tmp", "file"]);
  });
});
