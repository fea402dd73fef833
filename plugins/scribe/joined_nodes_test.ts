import assert from "node:assert/strict";
import { openScribeDatabase } from "./database.ts";
import { JoinedNodes } from "./joined_nodes.ts";

Deno.test("who joined with what, and who is to go, is known after a restart too", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-joined-" });
  const open = () => openScribeDatabase(`${directory}/scribe.db`);
  try {
    {
      using database = open();
      const joined = new JoinedNodes(database);
      joined.add("a", "t1", 60_000, 1);
      joined.add("b", "t1", null, 1);
      joined.add("c", "t2", 5_000, 1);
      joined.forget("c");
    }
    using database = open();
    const joined = new JoinedNodes(database);
    assert.deepEqual([...joined.ephemeral()], [["a", 60_000]]);
    assert.ok(joined.has("a", "t1") && joined.has("b", "t1") && joined.has("c", "t2"));
    assert.ok(!joined.has("a", "t2"));
    joined.add("a", "t2", null, 2);
    assert.deepEqual([...joined.ephemeral()], []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
