import assert from "node:assert/strict";
import { addToken } from "./add_token.ts";
import { assignJoined } from "./assign_joined.ts";
import { entryOf } from "./node_entry.ts";
import { revokeToken } from "./revoke_token.ts";
import { setName } from "./set_name.ts";
import { tagNode } from "./tag_node.ts";
import { after, context, laptop, server, start, tokenEntry } from "./testing.ts";

Deno.test("a token is added once, and those whose time is up go on the way", () => {
  const old = tokenEntry({ id: "0".repeat(16), expiresAt: context.now });
  const body = after(after(start, addToken, old), addToken, tokenEntry());
  assert.deepEqual(body.tokens, [tokenEntry()]);
  assert.throws(() => addToken(body, tokenEntry(), context), { code: "TOKEN_EXISTS" });
});

Deno.test("a token that gives a name is for one node and a name nobody has or was promised", () => {
  const bad = [
    [start, tokenEntry({ name: "box", maxUses: 0 }), "TOKEN_NAME"],
    [start, tokenEntry({ name: "Box" }), "NAME_INVALID"],
    [start, tokenEntry({ tags: ["A"] }), "TAG_INVALID"],
    [
      after(start, setName, { node: server, name: "box" }),
      tokenEntry({ name: "box" }),
      "NAME_TAKEN",
    ],
    [
      after(start, addToken, tokenEntry({ id: "0".repeat(16), name: "box" })),
      tokenEntry({ name: "box" }),
      "NAME_TAKEN",
    ],
  ] as const;
  for (const [body, token, code] of bad) {
    assert.throws(() => addToken(body, token, context), { code });
  }
});

Deno.test("a token is withdrawn by a unique beginning of its id", () => {
  const two = after(
    after(start, addToken, tokenEntry()),
    addToken,
    tokenEntry({ id: "a2".repeat(8) }),
  );
  assert.deepEqual(after(two, revokeToken, { id: "a2" }).tokens, [tokenEntry()]);
  assert.throws(() => revokeToken(two, { id: "a" }, context), { code: "TOKEN_AMBIGUOUS" });
  for (const id of ["", "b", "a1".repeat(9)]) {
    assert.throws(() => revokeToken(two, { id }, context), { code: "TOKEN_UNKNOWN" });
  }
});

Deno.test("a node that joined gets the token's tags and name beside what it has", () => {
  const token = tokenEntry({ tags: ["ci", "eu"], name: "runner" });
  const body = after(
    after(start, tagNode, { node: laptop, tag: "old" }),
    assignJoined,
    { node: laptop, token },
  );
  assert.deepEqual(entryOf(body, laptop), {
    name: "runner",
    tags: ["ci", "eu", "old"],
    meshIp: null,
    pinnedVia: null,
  });
  assert.equal(after(body, assignJoined, { node: laptop, token }), body);
});

Deno.test("a joining node does not take a name from anybody, nor lose its own", () => {
  const token = tokenEntry({ tags: ["ci"], name: "runner" });
  const taken = after(start, setName, { node: server, name: "runner" });
  assert.equal(entryOf(after(taken, assignJoined, { node: laptop, token }), laptop).name, null);
  const own = after(start, setName, { node: laptop, name: "mine" });
  assert.equal(entryOf(after(own, assignJoined, { node: laptop, token }), laptop).name, "mine");
});
