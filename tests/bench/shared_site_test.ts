import assert from "node:assert/strict";
import { sharedSite } from "./shared_site.ts";

Deno.test("a site is made once, used by all and gone with the last of them", async () => {
  const open = new Set<number>();
  let made = 0;
  const on = sharedSite(() => {
    const number = ++made;
    open.add(number);
    const gone = () => Promise.resolve(void open.delete(number));
    return Promise.resolve({ number, [Symbol.asyncDispose]: gone });
  });
  const start = on(({ number }) => Promise.resolve(number));
  const [first, second] = [await start(), await start()];
  assert.deepEqual([await first.round(), await second.round()], [1, 1]);
  await first[Symbol.asyncDispose]();
  assert.deepEqual([...open], [1]);
  await second[Symbol.asyncDispose]();
  assert.deepEqual([...open], []);
  await using third = await start();
  assert.equal(await third.round(), 2);
});
