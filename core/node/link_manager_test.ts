import assert from "node:assert/strict";
import type { NodeCertificate } from "../identity/types.ts";
import { createTestCa } from "../identity/testing.ts";
import {
  type ByteStream,
  type Session,
  type SessionCloseInfo,
  type SessionKind,
} from "../sessions/types.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { LinkManager } from "./link_manager.ts";

/** A session whose peer is the test. */
class TestSession implements Session {
  readonly remoteAddress = "127.0.0.1:1";
  readonly maxDatagramSize = 1200;
  readonly stats = {
    bytesIn: 0,
    bytesOut: 0,
    streamsOpened: 0,
    streamsAccepted: 0,
    datagramsIn: 0,
    datagramsOut: 0,
    datagramsDropped: 0,
  };
  readonly #over = Promise.withResolvers<SessionCloseInfo>();
  readonly #ended = this.#over.promise.then(() => null);

  constructor(
    readonly kind: SessionKind,
    readonly role: "dialler" | "acceptor",
    readonly peer: NodeCertificate,
  ) {}

  openStream(): Promise<ByteStream> {
    return Promise.resolve(memoryStreamPair()[0]);
  }
  acceptStream(): Promise<null> {
    return this.#ended;
  }
  sendDatagram(): boolean {
    return false;
  }
  receiveDatagram(): Promise<null> {
    return this.#ended;
  }
  close(code = 0, reason = ""): Promise<void> {
    this.#over.resolve({ code, reason, remote: false });
    return Promise.resolve();
  }
  get closed(): Promise<SessionCloseInfo> {
    return this.#over.promise;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function scene() {
  const ca = await createTestCa();
  const peer = (await ca.issue()).certificate;
  const events: string[] = [];
  const added: Session[] = [];
  const links = new LinkManager({
    self: "0".repeat(32),
    log: () => {},
    drainGraceMs: 5,
    events: {
      up: (_id, link) => events.push(`up ${link.kind}`),
      added: (link) => void added.push(link.session),
      primary: (_id, link) => events.push(`primary ${link.kind}`),
      down: (_id, reason) => events.push(`down ${reason}`),
      stream: () => Promise.resolve(),
    },
  });
  return { links, peer, events, added };
}

Deno.test("a better session takes over without a link down, and the last one gone is the end of the link", async () => {
  const { links, peer, events } = await scene();
  const websocket = new TestSession("websocket", "dialler", peer);
  const quic = new TestSession("quic", "acceptor", peer);
  links.add(websocket);
  links.add(quic);
  assert.equal(links.primary(peer.id)?.session, quic);
  assert.deepEqual(events, ["up websocket", "primary websocket", "primary quic"]);
  await quic.close(7, "idle");
  await Promise.resolve();
  while (links.primary(peer.id)?.session === quic) await Promise.resolve();
  assert.equal(links.primary(peer.id)?.session, websocket);
  await websocket.close(7, "idle");
  while (links.primary(peer.id) !== undefined) await Promise.resolve();
  assert.deepEqual(events.slice(3), ["primary websocket", "down idle"]);
  assert.deepEqual(links.peers(), []);
  await links[Symbol.asyncDispose]();
});

Deno.test("every session is told of, the one that is not preferred too", async () => {
  const { links, peer, added } = await scene();
  const quic = new TestSession("quic", "dialler", peer);
  const websocket = new TestSession("websocket", "acceptor", peer);
  links.add(quic);
  links.add(websocket);
  assert.equal(links.primary(peer.id)?.session, quic);
  assert.deepEqual(added, [quic, websocket]);
  await links[Symbol.asyncDispose]();
});

Deno.test("a session that fails to take streams is closed and stands in nobody's way", async () => {
  const { links, peer, events } = await scene();
  const broken = new TestSession("quic", "acceptor", peer);
  broken.acceptStream = () => Promise.reject(new Error("Bad resource ID"));
  links.add(broken);
  links.add(new TestSession("websocket", "acceptor", peer));
  assert.equal(links.primary(peer.id)?.session, broken);
  assert.deepEqual(await broken.closed, { code: 2, reason: "takes no streams", remote: false });
  while (links.primary(peer.id)?.session === broken) await Promise.resolve();
  assert.deepEqual(events, ["up quic", "primary quic", "primary websocket"]);
  await links[Symbol.asyncDispose]();
});

Deno.test("a replaced session without streams is closed, one with streams lives until they have ended", async () => {
  const { links, peer } = await scene();
  const busy = new TestSession("websocket", "dialler", peer);
  links.add(busy);
  const link = links.primary(peer.id)!;
  // The control stream and one of a user.
  const streams = [await link.openStream(), await link.openStream()];
  const idle = new TestSession("websocket", "dialler", peer);
  links.add(idle);
  links.add(new TestSession("quic", "dialler", peer));
  let closed = false;
  busy.closed.then(() => closed = true);
  await idle.closed;
  assert.equal(closed, false);
  for (const stream of streams) stream.reset();
  const info = await busy.closed;
  assert.equal(info.reason, "another session took over");
  await links[Symbol.asyncDispose]();
});

Deno.test("dropping a peer ends all its sessions with the reason", async () => {
  const { links, peer, events } = await scene();
  const sessions = [
    new TestSession("websocket", "acceptor", peer),
    new TestSession("quic", "acceptor", peer),
  ];
  for (const session of sessions) links.add(session);
  await links.drop(peer.id, 5, "the node has been revoked");
  for (const session of sessions) assert.equal((await session.closed).code, 5);
  while (links.primary(peer.id) !== undefined) await Promise.resolve();
  assert.equal(events.at(-1), "down the node has been revoked");
  await links[Symbol.asyncDispose]();
});

Deno.test("bytes of links that are gone still count", async () => {
  const { links, peer } = await scene();
  const first = new TestSession("websocket", "acceptor", peer);
  links.add(first);
  Object.assign(first.stats, { bytesIn: 100, bytesOut: 10 });
  await first.close();
  while (links.primary(peer.id) !== undefined) await Promise.resolve();
  assert.deepEqual(links.traffic(), { bytesIn: 100, bytesOut: 10 });
  const second = new TestSession("quic", "acceptor", peer);
  links.add(second);
  Object.assign(second.stats, { bytesIn: 1, bytesOut: 2 });
  assert.deepEqual(links.traffic(), { bytesIn: 101, bytesOut: 12 });
  await links[Symbol.asyncDispose]();
});
