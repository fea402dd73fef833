import assert from "node:assert/strict";
import { readLine } from "../../core/control/read_line.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { HostServices } from "../../core/plugin/types.ts";
import { testCertificate } from "../../core/plugin/testing.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { PathStream } from "../../core/streams/mesh_stream.ts";
import { JoinedCourier } from "./joined_courier.ts";
import type { JoinedNotice } from "./joined_outbox.ts";

const scribe = testCertificate.id;

/** A scribe whose answers come from a script, one an attempt; null: it cannot be reached. */
async function deliver(
  notices: JoinedNotice[],
  answers: (string | null)[],
  until: (told: readonly string[]) => boolean,
): Promise<{ left: JoinedNotice[]; told: string[] }> {
  const told: string[] = [];
  const served: Promise<void>[] = [];
  const stop = new AbortController();
  const left = [...notices];
  const openStream: HostServices["openStream"] = async (request) => {
    assert.deepEqual(request, { node: scribe, protocol: "scribe.joined", port: 0 });
    const answer = answers.shift();
    if (answer === undefined || answer === null) throw new PulseError("STREAM_NO_LINK", "no way");
    const [near, far] = memoryStreamPair();
    served.push((async () => {
      told.push((await readLine(far, 1_000)).line);
      await far.write(new TextEncoder().encode(`${answer}\n`));
      await far.closeWrite();
    })());
    return await Promise.resolve(new PathStream(near, testCertificate, [scribe]));
  };
  const courier = new JoinedCourier({
    outbox: {
      list: (limit) => left.slice(0, limit),
      remove: (seq) => {
        left.splice(left.findIndex((notice) => notice.seq === seq), 1);
        if (until(told)) stop.abort();
      },
    },
    scribe: () => scribe,
    openStream,
    log: () => {},
    signal: stop.signal,
    retryMs: 1,
  });
  await courier.run();
  await Promise.all(served);
  return { left, told };
}

const notice = (seq: number): JoinedNotice => ({
  seq,
  node: String(seq).repeat(32),
  token: "ab".repeat(8),
});

Deno.test("the scribe is told of each join until it says that it knows", async () => {
  const answers = [null, '{"ok":false,"error":"busy"}', "garbage", '{"ok":true}'];
  const { left, told } = await deliver([notice(1)], answers, () => true);
  assert.deepEqual(left, []);
  assert.equal(told.length, 3);
  assert.deepEqual(JSON.parse(told[0]!), { node: "1".repeat(32), token: "ab".repeat(8) });
});

Deno.test("a notice the scribe cannot take holds up no other", async () => {
  const answers = ['{"ok":false}', '{"ok":true}'];
  const { left } = await deliver([notice(1), notice(2)], answers, () => true);
  assert.deepEqual(left.map(({ seq }) => seq), [1]);
});

Deno.test("without a scribe the courier waits, and stopping ends that", async () => {
  const stop = new AbortController();
  const courier = new JoinedCourier({
    outbox: { list: () => [notice(1)], remove: () => {} },
    scribe: () => null,
    openStream: () => Promise.reject(new Error("nobody is to be told")),
    log: () => {},
    signal: stop.signal,
  });
  const running = courier.run();
  courier.wake();
  stop.abort();
  await running;
});
