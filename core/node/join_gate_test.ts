import assert from "node:assert/strict";
import type { JoinConversation } from "../identity/mod.ts";
import { frameJoin } from "../identity/mod.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import type { MeshStream } from "../streams/mod.ts";
import { serveJoin } from "./join_gate.ts";

function conversation(questions: readonly number[]) {
  const answers: number[] = [];
  const left = [...questions];
  const self: JoinConversation = {
    remoteAddress: "127.0.0.1:1",
    receive: () => {
      const next = left.shift();
      return Promise.resolve(next === undefined ? null : Uint8Array.of(next));
    },
    send: (message) => {
      answers.push(...message);
      return Promise.resolve();
    },
  };
  return { self, answers };
}

Deno.test("a node with a CA keeps the conversation, and asks nobody else", async () => {
  const { self } = conversation([1]);
  let asked: JoinConversation | undefined;
  await serveJoin(self, {
    local: (c) => {
      asked = c;
      return Promise.resolve(true);
    },
    openToCa: () => assert.fail("must not be relayed"),
    log: () => {},
  });
  assert.equal(asked, self);
});

Deno.test("a node without one passes every message on to the CA and every answer back", async () => {
  const { self, answers } = conversation([1, 2]);
  const [near, far] = memoryStreamPair();
  const ca = (async () => {
    const channel = frameJoin(far, "");
    for (let n = 0; n < 2; n++) {
      const question = await channel.receive();
      await channel.send(Uint8Array.of(question![0]! + 10));
    }
  })();
  await serveJoin(self, {
    local: () => Promise.resolve(false),
    openToCa: () => Promise.resolve(near as MeshStream),
    log: () => {},
  });
  await ca;
  assert.deepEqual(answers, [11, 12]);
  await far.closed;
});

Deno.test("a CA out of reach is logged with its reason and ends the conversation", async () => {
  const { self } = conversation([1]);
  const lines: string[] = [];
  await serveJoin(self, {
    local: () => Promise.resolve(false),
    openToCa: () => Promise.reject(new Error("no CA known")),
    log: (_level, message, fields) => lines.push(`${message} ${fields?.error}`),
  });
  assert.deepEqual(lines, ["a join could not be taken to the CA no CA known"]);
});
