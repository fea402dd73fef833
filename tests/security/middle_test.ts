import assert from "node:assert/strict";
import { startTestNode, until } from "../../core/node/testing.ts";
import { Member } from "./fixtures/member.ts";
import { quicMiddle, webSocketMiddle } from "./fixtures/middle.ts";
import { recordTcp, recordUdp } from "./fixtures/recorder.ts";
import { createScene } from "./fixtures/scene.ts";
import { only, transports } from "./fixtures/transports.ts";
import { pause, within } from "./fixtures/within.ts";

for (const transport of transports) {
  Deno.test(`over ${transport}, a member in the middle of a bootstrap dial does not become the node behind it`, async () => {
    await using scene = await createScene(transport);
    const { ca, victim, address } = scene;
    const between = await ca.issue();
    await using middle = transport === "quic"
      ? quicMiddle(between, ca, address)
      : await webSocketMiddle(between, ca, address);
    // It knows an address and no id: whoever answers there tells it who it is.
    await using dialler = await startTestNode(await ca.issue(), {
      ...only(transport),
      peers: [middle.address],
    });
    await until(
      "a dial that failed",
      () => dialler.lines.some((line) => line.includes("dial failed")),
    );
    assert.ok(middle.passed() > 0, "the handshake was passed on, so that it could have worked");
    assert.deepEqual(dialler.node.linkedPeers(), []);
    assert.equal(victim.link(dialler.node.id), undefined);
    // Nor does one that knows whom it wants.
    await using member = await Member.create(await ca.issue(), transport);
    await assert.rejects(within("a refusal", member.dial(middle.address, victim.id)));
    assert.equal(victim.link(member.id), undefined);
    await dialler[Symbol.asyncDispose]();
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a recorded link handshake played again gets nothing`, async () => {
    await using scene = await createScene(transport);
    const { ca, victim, address } = scene;
    await using recorder = transport === "quic" ? recordUdp(address) : recordTcp(address);
    const member = await Member.create(await ca.issue(), transport);
    // Twice: the second QUIC connection resumes the first, and its first flight is what 0-RTT lets anybody repeat.
    for (let n = 0; n < 2; n++) {
      const session = await member.dial(recorder.address, victim.id);
      await until("the link", () => victim.link(member.id));
      await session.close();
      await until("the link's end", () => victim.link(member.id) === undefined);
    }
    await member[Symbol.asyncDispose]();
    const ups = () => scene.lines.filter((line) => line.includes("session up")).length;
    const before = ups();
    for (let n = 0; n < 3; n++) {
      await (transport === "quic" ? playUdp : playTcp)(address.port, recorder.recorded);
    }
    await pause(300);
    assert.equal(ups(), before);
    assert.equal(victim.link(member.id), undefined);
    await scene.assertServes();
  });
}

async function playUdp(port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  for (const bytes of datagrams) {
    await socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
    await pause(2);
  }
  socket.close();
}

async function playTcp(port: number, chunks: readonly Uint8Array[]): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    for (const bytes of chunks) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    }
    const rest = new Uint8Array(4_096);
    await within(
      "the server's end",
      (async () => {
        while (await conn.read(rest) !== null);
      })(),
    );
  } catch (error) {
    if (error instanceof Error && /not within/.test(error.message)) throw error;
    // Cut off in the middle of it: so much the better.
  }
}
