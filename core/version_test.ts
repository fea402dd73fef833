import assert from "node:assert/strict";
import { version } from "./version.ts";

Deno.test("the program and deno.json agree on the version", async () => {
  const url = new URL("../deno.json", import.meta.url);
  assert.equal(JSON.parse(await Deno.readTextFile(url)).version, version);
});
