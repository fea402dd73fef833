import assert from "node:assert/strict";
import { shortIds } from "./short_ids.ts";

Deno.test("ids are shortened as far as they stay different", () => {
  const short = shortIds(["aaaaaaaaaa01", "aaaaaaaaaa02", "bbbbbbbbbbbb"]);
  assert.equal(short("aaaaaaaaaa01"), "aaaaaaaaaa01");
  assert.equal(shortIds(["aaaaaaaaaa01", "bbbbbbbbbbbb"])("aaaaaaaaaa01"), "aaaaaaaa");
  assert.equal(shortIds([])("aaaaaaaaaa01"), "aaaaaaaa");
});
