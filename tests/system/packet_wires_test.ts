import assert from "node:assert/strict";
import { labTest } from "../lab/mod.ts";
import { impairedPair, inner4, inner6, packetPair, transfer } from "./packet_pair.ts";

const needs = { namespaces: true, tun: true, commands: ["ethtool"] } as const;
/** Of 65,536 each. */
const fileBytes = 300_023_808;

labTest(
  "300 MB arrive as they were sent while 0, 2 and 5 % of all datagrams are lost",
  needs,
  async () => {
    await using stack = new AsyncDisposableStack();
    const { lab, cable, b } = await packetPair(stack);
    await cable.splitTrains();
    const gaps = async () => (await b.stats()).drops.gap ?? 0;
    for (const perThousand of [0, 20, 50]) {
      await cable.loseUdp(perThousand);
      const before = await gaps();
      const { sent, received } = await transfer(lab, "a", "b", inner4("b"), fileBytes);
      assert.equal(sent.bytes, fileBytes);
      assert.deepEqual(received, sent);
      if (perThousand > 0) assert.ok(await gaps() - before > 1_000, "datagrams were lost");
    }
  },
);

labTest(
  "300 MB arrive as they were sent over a wire that loses, reorders and repeats datagrams",
  needs,
  async () => {
    await using stack = new AsyncDisposableStack();
    const impairments = { lost: 0.02, late: 0.01, twice: 0.01, overtaking: 8 };
    const { lab, b, wire } = await impairedPair(stack, impairments);
    const { sent, received } = await transfer(lab, "a", "b", inner6("b"), fileBytes);
    assert.equal(sent.bytes, fileBytes);
    assert.deepEqual(received, sent);
    const [, { lost, late, twice }] = await wire.stop();
    for (const count of [lost, late, twice]) assert.ok(count > 1_000, `${count}`);
    const { drops } = await b.stats();
    assert.ok((drops.replayed ?? 0) > 1_000, "what came again was dropped");
    assert.ok((drops.gap ?? 0) > 1_000, "what was missing was noticed");
  },
);
