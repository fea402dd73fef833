import assert from "node:assert/strict";
import { lockDataDir } from "./data_dir_lock.ts";
import { AlreadyRunningError } from "./errors.ts";

Deno.test("a data directory belongs to one daemon at a time, and the second is told which one", async () => {
  const dir = await Deno.makeTempDir();
  try {
    {
      await using _lock = await lockDataDir(dir);
      await assert.rejects(lockDataDir(dir), (error) => {
        assert.ok(error instanceof AlreadyRunningError);
        assert.equal(error.code, "PULSE_ALREADY_RUNNING");
        assert.match(error.message, new RegExp(`${dir} \\(pid ${Deno.pid}\\)`));
        return true;
      });
    }
    await using _again = await lockDataDir(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a directory that is not there is a typed error", async () => {
  await assert.rejects(lockDataDir("/nonexistent/pulse"), { code: "DATA_DIR" });
});
