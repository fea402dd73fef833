import fc from "fast-check";
import type { HostPort } from "../../core/address/mod.ts";
import { controlKind } from "../../core/node/control_channel.ts";
import { makeRecord, recordsMessage } from "../../core/gossip/testing.ts";
import { encodeHello } from "../../core/identity/join_messages.ts";
import { openJoinConversation } from "../../core/sessions/websocket/mod.ts";
import { rawTls, readAll, upgradeRequest } from "../../core/sessions/websocket/raw_client.ts";
import { encodeHeader, encodeRequest } from "../../core/streams/stream_header.ts";
import { testNetwork } from "../../plugins/ca/testing.ts";
import { concat, say } from "./fixtures/bytes.ts";
import { createCaScene, joinAt } from "./fixtures/ca_scene.ts";
import { hostileBytes } from "./fixtures/damage.ts";
import { openHalfLink } from "./fixtures/half_link.ts";
import { openLocalDoors } from "./fixtures/local_doors.ts";
import { Member } from "./fixtures/member.ts";
import { RawQuic } from "./fixtures/raw_quic.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene } from "./fixtures/scene.ts";
import { TcpClient } from "./fixtures/tcp_client.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** Does something with hostile bytes, many times, four at once. */
async function bombard(
  valid: readonly Uint8Array[],
  rounds: number,
  attack: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.array(hostileBytes(valid), { minLength: 4, maxLength: 4 }),
      async (bytes) => {
        await Promise.all(bytes.map(attack));
      },
    ),
    // A failure shows its seed; shrinking would attack all over again.
    { numRuns: rounds / 4, endOnFailure: true },
  );
}

/** Bytes into a TCP or unix listener, then the end. */
async function throwAt(to: HostPort | { readonly path: string }, bytes: Uint8Array): Promise<void> {
  using client = await TcpClient.connect(to);
  await client.write(bytes);
}

const clientHello = Uint8Array.fromHex(
  "160301006001000005c0303" + "aa".repeat(16) + "00000213010100000a" + "0".repeat(31),
);

Deno.test("random bytes at the WebSocket listener, in TCP, in TLS, as HTTP and as frames, hurt nobody", async () => {
  await using scene = await createScene("websocket");
  await bombard([clientHello], 80, (bytes) => throwAt(scene.address, bytes));
  const requests = [text(upgradeRequest("/relay")), text(upgradeRequest("/join"))];
  await bombard(requests, 80, async (bytes) => {
    const socket = await rawTls(scene.address);
    socket.write(bytes);
    socket.destroy();
  });
  await bombard([Uint8Array.of(0x82, 0x83, 0, 0, 0, 0, 1, 2, 3)], 60, async (bytes) => {
    const socket = await rawTls(scene.address);
    const all = readAll(socket);
    socket.write(concat(text(upgradeRequest("/join")), bytes));
    socket.end();
    await all;
  });
  scene.assertNothingGained();
  await scene.assertServes();
});

Deno.test("random bytes at the QUIC port, as datagrams and in streams, hurt nobody", async () => {
  await using scene = await createScene("quic");
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const initial = Uint8Array.fromHex(
    "c300000001080102030405060708080102030405060708004460" + "00".repeat(1_174),
  );
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: scene.address.port };
  await bombard([initial, Uint8Array.of(0x40, ...Array(40).fill(7))], 400, async (bytes) => {
    await socket.send(bytes, to);
  });
  socket.close();
  await bombard([clientHello], 60, async (bytes) => {
    using raw = await RawQuic.connect(scene.address, scene.ca);
    const stream = await raw.openStream();
    await say(stream, bytes.length === 0 ? Uint8Array.of(0) : bytes, true);
    await raw.connection.sendDatagram(bytes.subarray(0, 1_000)).catch(() => {/* ended */});
  });
  scene.assertNothingGained();
  await scene.assertServes();
});

for (const transport of transports) {
  Deno.test(`over ${transport}, random bytes of a member, in hello, streams, gossip and datagrams, hurt nobody else`, async () => {
    await using scene = await createScene(transport);
    const { victim, ca } = scene;
    const hellos = [Uint8Array.of(0, 3, 0x81, 0xa1, 0x76)];
    await bombard(hellos, 40, async (bytes) => {
      await using link = await openHalfLink(scene, await ca.issue());
      await say(link.hello, bytes, true);
    });
    await using member = await Member.create(await ca.issue(), transport);
    const session = await member.dial(scene.address, victim.id);
    const path = [member.id, victim.id];
    const echo = { protocol: "echo", port: 0 };
    const opening = concat(
      encodeHeader({ path, position: 1, ...echo }),
      encodeRequest({ ...echo, target: undefined }),
      text("hello"),
    );
    const onward = encodeHeader({ path: [...path, scene.friend.id], position: 1, ...echo });
    await bombard([opening, onward, Uint8Array.of(1, 0, 0, 0, 1, 1)], 120, async (bytes) => {
      const stream = await session.openStream();
      await say(stream, bytes, true);
      stream.reset();
    });
    const control = await RogueControl.open(session);
    const gossip = recordsMessage([makeRecord(member.credentials, { sequence: 9 })]);
    await bombard([gossip], 400, (bytes) => control.gossip(bytes));
    await bombard([Uint8Array.of(1, 1, ...Array(12).fill(3))], 200, (bytes) => {
      session.sendDatagram(bytes);
      return Promise.resolve();
    });
    await control.send(controlKind.observedAddress, text("192.0.2.1:1"));
    await session.close();
    await scene.assertServes();
  });
}

Deno.test("random bytes in joins, at the CA and through a relay, hurt nobody", async () => {
  await using scene = await createCaScene("quic");
  const random = crypto.getRandomValues(new Uint8Array(32));
  const hello = encodeHello({
    version: 1,
    network: testNetwork,
    tokenId: "0123456789abcdef",
    nonce: random,
    publicKey: random,
  });
  const before = scene.counts();
  const signal = new AbortController().signal;
  for (const door of [scene.doors.listener, scene.doors.relay]) {
    await bombard([hello], 60, async (bytes) => {
      await using conversation = await openJoinConversation({ ...door, signal });
      const first = bytes.length === 0 ? hello : bytes;
      await conversation.send(first).catch(() => {/* ended */});
      await within("an answer or the end", conversation.receive());
      await conversation.send(concat(Uint8Array.of(3), first)).catch(() => {/* ended */});
      await within("an answer or the end", conversation.receive());
    });
    await within("a good join", joinAt(door, scene.desk.token()));
  }
  const { uses, issued } = scene.counts();
  if (uses !== before.uses + 2 || issued !== before.issued + 2) {
    throw new Error("something was won");
  }
});

Deno.test("random bytes at the control socket, the tunnels and SOCKS hurt nobody", async () => {
  await using doors = await openLocalDoors();
  const tunnel = text('{"node":"0000","target":"localhost:22"}\n');
  const request = text("POST /api/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
  const socks = Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80);
  await bombard([request], 80, (bytes) => throwAt({ path: doors.control }, bytes));
  await bombard([tunnel], 80, (bytes) => throwAt({ path: doors.tunnels }, bytes));
  await bombard([tunnel], 80, (bytes) => throwAt(doors.tcpTunnels, bytes));
  await bombard([socks], 80, (bytes) => throwAt(doors.socks, bytes));
  await doors.assertServes();
});
