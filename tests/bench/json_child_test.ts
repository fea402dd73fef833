import assert from "node:assert/strict";
import { JsonChild } from "./json_child.ts";

const library = new URL("./json_child.ts", import.meta.url).href;
const program = (source: string) =>
  new URL(
    `data:text/javascript,${
      encodeURIComponent(`import { answerCommands } from "${library}"; ${source}`)
    }`,
  );

Deno.test("commands are answered one by one, and the process ends with its input", async () => {
  await using child = new JsonChild(
    program(`await answerCommands(async ({ n }) => ({ twice: n * 2 }));`),
  );
  assert.deepEqual(await child.call({ n: 4 }), { twice: 8 });
  assert.equal(await child.number({ n: 5 }, "twice"), 10);
});

Deno.test("a process that dies instead of answering is an error, not a wait", async () => {
  await using child = new JsonChild(program(`await answerCommands(() => Deno.exit(3));`));
  await assert.rejects(child.call({}), /ended instead of answering \(3\)/);
});
