import assert from "node:assert/strict";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { HistoryError } from "./errors.ts";
import { askStats, maxAnswerPoints, serveStats } from "./stats_protocol.ts";
import type { StatPoint, StatsAnswer, StatsQuery } from "./types.ts";

const node = "4353db8f32bad58020c6d3c9238f80c2";

const point: StatPoint = {
  at: "2026-01-01T00:00:00.000Z",
  samples: 30,
  latencyMs: 1.5,
  worstLatencyMs: 2,
  loss: 0,
  bytesIn: 1,
  bytesOut: 2,
  path: "quic",
};

const answerOf = (points: number): StatsAnswer => ({
  node,
  resolution: "5m",
  series: [{ peer: "a", points: Array.from({ length: points }, () => point) }],
  truncated: false,
});

async function exchange(
  query: StatsQuery,
  answer: (query: StatsQuery) => StatsAnswer,
): Promise<StatsAnswer> {
  const [near, far] = memoryStreamPair();
  const [asked] = await Promise.all([askStats(near, node, query), serveStats(far, answer)]);
  return asked;
}

Deno.test("a question and its answer go through a stream, and no answer is larger than its limit", async () => {
  const asked: StatsQuery[] = [];
  const answer = await exchange({ since: 5, resolution: "5m", limit: 1_000_000 }, (query) => {
    asked.push(query);
    return answerOf(query.limit);
  });
  assert.deepEqual(asked, [{ since: 5, resolution: "5m", limit: maxAnswerPoints }]);
  assert.deepEqual(answer, answerOf(maxAnswerPoints));
});

Deno.test("a refusal comes with its reason, and another node's name is no answer", async () => {
  const query = { since: 0, limit: 1 };
  const denied = exchange(query, () => {
    throw new HistoryError("HISTORY_DENIED", "for the scribe alone");
  });
  await assert.rejects(denied, {
    code: "HISTORY_DENIED",
    message: `Node ${node}: for the scribe alone`,
  });
  const other = exchange(query, () => ({ ...answerOf(1), node: "f".repeat(32) }));
  await assert.rejects(other, { code: "HISTORY_PROTOCOL" });
});

async function bytesFor(request: string): Promise<string> {
  const [near, far] = memoryStreamPair();
  const serving = serveStats(far, () => answerOf(1));
  await near.write(new TextEncoder().encode(request));
  await near.closeWrite();
  let text = "";
  for (let chunk = await near.read(); chunk !== null; chunk = await near.read()) {
    text += new TextDecoder().decode(chunk);
  }
  await serving;
  return text;
}

Deno.test("a request that is none, or too large, is told so", async () => {
  for (const request of ["", "{", `{"since":-1,"limit":1}`, `{"limit":1}`, " ".repeat(2_000)]) {
    const reply = JSON.parse(await bytesFor(request));
    assert.equal(reply.error.code, "HISTORY_PROTOCOL", request.slice(0, 40));
  }
});

Deno.test("an answer that is none is refused", async () => {
  for (const reply of ["{}", `{"answer":{"node":"${node}"}}`, "x".repeat(3_000_000)]) {
    const [near, far] = memoryStreamPair();
    const asking = askStats(near, node, { since: 0, limit: 1 });
    const answering = (async () => {
      await far.write(new TextEncoder().encode(reply));
      await far.closeWrite();
    })().catch(() => {});
    await assert.rejects(asking, { code: "HISTORY_PROTOCOL" });
    near.reset();
    await answering;
  }
});
