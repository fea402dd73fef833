import assert from "node:assert/strict";
import { join } from "node:path";
import { dataFiles } from "../control/types.ts";
import { sequencesPerReservation } from "./sequence_store.ts";
import { StateKeeper } from "./state_keeper.ts";

const peer = { id: "a".repeat(32), addresses: ["192.0.2.1:1"] };

async function withKeeper(
  remembers: boolean,
  test: (keeper: StateKeeper, dataDir: string, logs: string[]) => Promise<void>,
): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-state-" });
  const logs: string[] = [];
  try {
    const log = (_level: string, message: string) => logs.push(message);
    await test(new StateKeeper({ dataDir, remembers, log }), dataDir, logs);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

Deno.test("peers saved at a node's end are those of its next life", () =>
  withKeeper(true, async (keeper) => {
    assert.deepEqual(await keeper.peers(), []);
    await keeper.save({ sequence: 1, remembered: () => [peer] });
    assert.deepEqual(await keeper.peers(), [peer]);
  }));

Deno.test("a relay neither writes down peers nor reads any", () =>
  withKeeper(false, async (keeper, dataDir) => {
    await keeper.save({ sequence: 1, remembered: () => [peer] });
    assert.deepEqual(await keeper.peers(), []);
    assert.deepEqual(Array.from(Deno.readDirSync(dataDir), ({ name }) => name), []);
  }));

Deno.test("every life reserves sequences beyond those of the last", () =>
  withKeeper(true, async (keeper) => {
    const first = await keeper.reserve();
    assert.equal(await keeper.reserve(), first + sequencesPerReservation);
  }));

Deno.test("a disk that takes nothing costs a warning", () =>
  withKeeper(true, async (keeper, dataDir, logs) => {
    await Deno.mkdir(join(dataDir, dataFiles.peers));
    await keeper.save({ sequence: 1, remembered: () => [peer] });
    assert.deepEqual(logs, ["peers could not be saved"]);
  }));

Deno.test("what is to be kept until the end ends with the signal", () =>
  withKeeper(true, async (keeper) => {
    await keeper.run(() => undefined, AbortSignal.abort());
  }));
