import assert from "node:assert/strict";
import type { HostPort } from "../../core/address/mod.ts";
import { joinTimeoutMs } from "../../core/identity/mod.ts";
import { encodeHello } from "../../core/identity/join_messages.ts";
import { until } from "../../core/node/testing.ts";
import { defaultSessionLimits } from "../../core/sessions/types.ts";
import { openJoinConversation } from "../../core/sessions/websocket/mod.ts";
import { rawTls, readAll, upgradeRequest } from "../../core/sessions/websocket/raw_client.ts";
import { testNetwork } from "../../plugins/ca/testing.ts";
import { eventually } from "../lab/wait.ts";
import { createCaScene, joinAt } from "./fixtures/ca_scene.ts";
import { openHalfLink } from "./fixtures/half_link.ts";
import { openLocalDoors } from "./fixtures/local_doors.ts";
import { Member } from "./fixtures/member.ts";
import { RawQuic } from "./fixtures/raw_quic.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { TcpClient } from "./fixtures/tcp_client.ts";
import type { TransportName } from "./fixtures/transports.ts";
import { pause, within } from "./fixtures/within.ts";

/** Ends what it is given when the victim does, or says which of them the victim still holds. */
type Sloth = readonly [what: string, ended: Promise<unknown>];

/** The first bytes of a TLS record that announces 512. */
const halfClientHello = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3);

/** One byte now and then, for as long as they are taken. */
async function dribble(take: () => Promise<boolean> | boolean, done: AbortSignal): Promise<void> {
  while (!done.aborted && await take()) await pause(200);
}

async function atTheWebSocketDoor(
  scene: Scene,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Sloth[]> {
  const sloths: Sloth[] = [];
  const tasks: Promise<void>[] = [];
  resources.defer(async () => {
    await Promise.all(tasks);
  });
  for (let n = 0; n < 10; n++) {
    const silent = resources.use(await TcpClient.connect(scene.address));
    sloths.push(["TCP and silence", silent.ended]);
    const half = resources.use(await TcpClient.connect(scene.address));
    await half.write(halfClientHello);
    sloths.push(["half a ClientHello", half.ended]);
    const drip = resources.use(await TcpClient.connect(scene.address));
    tasks.push(dribble(() => drip.write(Uint8Array.of(22)), signal));
    sloths.push(["TLS byte by byte", drip.ended]);
    const quiet = await rawTls(scene.address);
    sloths.push(["TLS and silence", readAll(quiet)]);
    const header = await rawTls(scene.address);
    header.write("GET /relay HTTP/1.1\r\n");
    tasks.push(dribble(() => header.write("x: y\r\n") || !header.destroyed, signal));
    sloths.push(["HTTP header by header", readAll(header)]);
    const join = await rawTls(scene.address);
    join.write(upgradeRequest("/join"));
    sloths.push(["a join and silence", readAll(join)]);
    const slow = await rawTls(scene.address);
    slow.write(upgradeRequest("/join"));
    tasks.push(dribble(() => slow.write(Uint8Array.of(0x82, 0xfe)) || !slow.destroyed, signal));
    sloths.push(["a join message byte by byte", readAll(slow)]);
  }
  return sloths;
}

async function atTheQuicDoor(
  scene: Scene,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Sloth[]> {
  const sloths: Sloth[] = [];
  const tasks: Promise<void>[] = [];
  resources.defer(async () => {
    await Promise.all(tasks);
  });
  const connect = async () => resources.use(await RawQuic.connect(scene.address, scene.ca));
  for (let n = 0; n < defaultSessionLimits.maxUnauthenticated / 4; n++) {
    sloths.push(["QUIC and silence", (await connect()).ended()]);
    for (const start of [halfClientHello, halfClientHello.subarray(0, 1)]) {
      const half = await connect();
      await (await half.openStream()).write(start);
      sloths.push([`${start.length} bytes of a ClientHello`, half.ended()]);
    }
    const drip = await connect();
    const stream = await drip.openStream();
    const take = () => stream.write(Uint8Array.of(22)).then(() => true, () => false);
    tasks.push(dribble(take, signal));
    sloths.push(["TLS byte by byte", drip.ended()]);
  }
  return sloths;
}

/** Members are known by then, so each is held to its own time only. */
async function membersInNoHurry(
  scene: Scene,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Sloth[]> {
  const sloths: Sloth[] = [];
  for (let n = 0; n < 5; n++) {
    const silent = resources.use(await openHalfLink(scene, await scene.ca.issue()));
    sloths.push(["a member without a hello", silent.ended()]);
    const drip = resources.use(await openHalfLink(scene, await scene.ca.issue()));
    const task = dribble(
      () => drip.hello.write(Uint8Array.of(0)).then(() => true, () => false),
      signal,
    );
    resources.defer(() => task);
    sloths.push(["a member that says hello byte by byte", drip.ended()]);
  }
  const member = resources.use(await Member.create(await scene.ca.issue(), scene.transport));
  const session = await member.dial(scene.address, scene.victim.id);
  for (let n = 0; n < 5; n++) {
    for (const start of [[2], [2, 0], [2, 0, 200, 1]]) {
      const stream = await session.openStream();
      await stream.write(Uint8Array.from(start));
      sloths.push([`a stream header of ${start.length} bytes`, stream.closed]);
    }
  }
  return sloths;
}

async function atTheListener(transport: TransportName): Promise<void> {
  await using scene = await createScene(transport);
  await using resources = new AsyncDisposableStack();
  const done = new AbortController();
  resources.defer(() => done.abort());
  const door = transport === "quic" ? atTheQuicDoor : atTheWebSocketDoor;
  const sloths = await door(scene, resources, done.signal);
  // As many as are let in. A crowd of nodes that come back at once is not told from this for a second.
  await pause(1_100);
  await scene.assertServes();
  sloths.push(...await membersInNoHurry(scene, resources, done.signal));
  await scene.assertServes();
  await Promise.all(sloths.map(([what, ended]) => within(what, ended)));
  const { quic, websocket } = scene.victim.listeners;
  await until(
    "nobody is left",
    () => (quic?.stats.unauthenticated ?? 0) + (websocket?.stats.unauthenticated ?? 0) === 0,
  );
  done.abort();
  await scene.assertServes();
}

async function joins(): Promise<void> {
  await using scene = await createCaScene("quic");
  await using resources = new AsyncDisposableStack();
  const signal = new AbortController().signal;
  const hello = encodeHello({
    version: 1,
    network: testNetwork,
    tokenId: "0123456789abcdef",
    nonce: new Uint8Array(32),
    publicKey: new Uint8Array(32),
  });
  const stalled: Promise<unknown>[] = [];
  for (const door of [scene.doors.listener, scene.doors.relay]) {
    // As many as are let in, half of them silent, half stopped in the middle.
    for (let n = 0; n < 32; n++) {
      const conversation = resources.use(await openJoinConversation({ ...door, signal }));
      if (n % 2 === 0) await conversation.send(hello);
      stalled.push((async () => {
        while (await conversation.receive() !== null);
      })());
    }
    await eventually(() => joinAt(door, scene.desk.token()), { what: "a good join" });
  }
  // However long they try: the whole conversation has its limit.
  await within("the stalled joins end", Promise.all(stalled), joinTimeoutMs + 30_000);
  await until("the CA holds none", () => scene.desk.desk.open === 0);
  for (const door of [scene.doors.listener, scene.doors.relay]) {
    assert.match((await joinAt(door, scene.desk.token())).certificatePem, /BEGIN/);
  }
}

async function atTheMachinesOwnDoors(): Promise<void> {
  await using doors = await openLocalDoors();
  await using resources = new AsyncDisposableStack();
  const done = new AbortController();
  resources.defer(() => done.abort());
  const sloths: Sloth[] = [];
  const starts: [string, HostPort | { path: string }, Uint8Array][] = [
    ["a tunnel on the unix socket", { path: doors.tunnels }, new TextEncoder().encode('{"node":')],
    ["a tunnel on TCP", doors.tcpTunnels, new TextEncoder().encode('{"node":')],
    ["SOCKS without a method", doors.socks, Uint8Array.of(5, 255)],
    ["SOCKS without a request", doors.socks, Uint8Array.of(5, 1, 0)],
  ];
  for (let n = 0; n < 50; n++) {
    for (const [what, to, start] of starts) {
      const silent = resources.use(await TcpClient.connect(to));
      sloths.push([`${what}: silence`, silent.ended]);
      const half = resources.use(await TcpClient.connect(to));
      await half.write(start);
      sloths.push([`${what}: half a request`, half.ended]);
    }
    // The control socket's owner may wait as long as it likes, it is its own; others are answered meanwhile.
    const request = resources.use(await TcpClient.connect({ path: doors.control }));
    if (n % 2 === 0) await request.write(new TextEncoder().encode("GET /api/status HTTP/1.1\r\n"));
  }
  await doors.assertServes();
  assert.equal(doors.opened(), 3);
  await Promise.all(sloths.map(([what, ended]) => within(what, ended)));
  await doors.assertServes();
}

// All at once, because waiting is most of it.
Deno.test("whoever takes their time is ended in time, and others are served meanwhile", async (t) => {
  const attacks: [string, Promise<void>][] = [
    ["at the QUIC listener", atTheListener("quic")],
    ["at the WebSocket listener", atTheListener("websocket")],
    ["in a join, at the CA and through a relay", joins()],
    ["at the control socket, the tunnels and SOCKS", atTheMachinesOwnDoors()],
  ];
  const over = Promise.allSettled(attacks.map(([, attack]) => attack));
  for (const [name, attack] of attacks) {
    const shared = { sanitizeOps: false, sanitizeResources: false };
    await t.step({ name, fn: () => attack, ...shared });
  }
  await over;
});
