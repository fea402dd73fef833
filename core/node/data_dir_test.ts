import assert from "node:assert/strict";
import { join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import { prepareDataDir } from "./data_dir.ts";

async function inTemp(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a data directory is made for this user only, with its parents", () =>
  inTemp(async (dir) => {
    const path = join(dir, "a", "b");
    await prepareDataDir(path);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o700);
    await prepareDataDir(path);
  }));

Deno.test("a directory others may write in, and a file in its place, are refused by name", () =>
  inTemp(async (dir) => {
    const open = join(dir, "open");
    await Deno.mkdir(open);
    await Deno.chmod(open, 0o777);
    const file = join(dir, "file");
    await Deno.writeTextFile(file, "");
    for (const path of [open, file]) {
      await assert.rejects(
        prepareDataDir(path),
        (error) =>
          error instanceof PulseError && error.code === "DATA_DIR" && error.message.includes(path),
      );
    }
  }));
