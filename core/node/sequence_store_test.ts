import assert from "node:assert/strict";
import { join } from "node:path";
import { PulseError } from "../errors/mod.ts";
import { reserveSequences, sequencesPerReservation } from "./sequence_store.ts";

Deno.test("each reservation begins where no earlier one can have reached, also after a crash", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "state.json");
    const first = await reserveSequences(path);
    const second = await reserveSequences(path);
    assert.equal(first, 1);
    assert.equal(second, first + sequencesPerReservation);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    await Deno.writeTextFile(path, "not json");
    await assert.rejects(
      reserveSequences(path),
      (error) => error instanceof PulseError && error.code === "STATE_UNREADABLE",
    );
    await Deno.writeTextFile(path, '{"sequence":-1}');
    await assert.rejects(reserveSequences(path), PulseError);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
