import assert from "node:assert/strict";
import { join } from "node:path";
import { dataFiles } from "../control/types.ts";
import { newCa, writeRoll } from "../trust/testing.ts";
import { whyRejoin } from "./rejoin.ts";

Deno.test("a member joins again when its certificate has expired or its CA is known to be retired", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-rejoin-" });
  try {
    const [old, next] = [await newCa(), await newCa()];
    const [member, fresh] = [await old.issue(), await next.issue()];
    const now = Date.now();
    const file = join(dataDir, dataFiles.caRoll);
    assert.equal(await whyRejoin(dataDir, member, now), undefined);
    assert.equal(await whyRejoin(dataDir, member, member.certificate.notAfter), "expired");
    await Deno.writeFile(file, writeRoll(old, next, 1));
    assert.equal(await whyRejoin(dataDir, member, now), undefined);
    await Deno.writeFile(file, writeRoll(old, next, 2, "finished"));
    assert.equal(await whyRejoin(dataDir, member, now), "retired");
    assert.equal(await whyRejoin(dataDir, fresh, now), undefined);
    await Deno.writeFile(file, writeRoll(await newCa(), next, 2, "finished"));
    assert.equal(await whyRejoin(dataDir, member, now), undefined, "somebody else's word");
    await Deno.remove(file);
    await Deno.mkdir(file);
    await assert.rejects(whyRejoin(dataDir, member, now), { code: "STATE_UNREADABLE" });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
