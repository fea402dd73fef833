import assert from "node:assert/strict";
import type { NodeId } from "../../core/identity/types.ts";
import { tlsAccept } from "../../core/sessions/tls/mod.ts";
import type { ByteStream, Session } from "../../core/sessions/types.ts";
import {
  BufferedStream,
  type MeshStream,
  pipe,
  readFrame16,
  type StreamHeader,
  streamKind,
} from "../../core/streams/mod.ts";
import {
  decodeHeader,
  encodeAnswer,
  encodeHeader,
  maxHeaderBytes,
} from "../../core/streams/stream_header.ts";
import { assertEchoes } from "./fixtures/echo.ts";
import { Member } from "./fixtures/member.ts";
import { RawQuic } from "./fixtures/raw_quic.ts";
import { RogueListener } from "./fixtures/rogue_listener.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { countedEcho } from "./fixtures/served.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

interface Detour extends AsyncDisposable {
  /** Who wants to reach the victim, and can only do so through the relay. */
  readonly origin: Member;
  readonly relay: NodeId;
  /** The relay's own session with the victim. */
  readonly onward: Session;
  /**
   * The origin opens a stream to the victim along origin, relay, victim; the relay does as it likes with it.
   * @throws what the origin sees
   */
  open(deal: (stream: BufferedStream, header: StreamHeader) => Promise<void>): Promise<MeshStream>;
}

/** A member that others use as a relay, and that does not deserve it. */
async function detour(scene: Scene): Promise<Detour> {
  await using resources = new AsyncDisposableStack();
  const { ca, transport, victim } = scene;
  const credentials = await ca.issue();
  const listener = resources.use(await RogueListener.listen(credentials, transport));
  const dialler = resources.use(await Member.create(credentials, transport));
  const origin = resources.use(await Member.create(await ca.issue(), transport));
  const onward = await dialler.dial(scene.address, victim.id);
  const [near, far] = await Promise.all([origin.dial(listener.address), listener.accept()]);
  const dealings: Promise<void>[] = [];
  resources.defer(async () => {
    await onward.close();
    await near.close();
    await Promise.all(dealings);
  });
  const owned = resources.move();
  return {
    origin,
    relay: credentials.certificate.id,
    onward,
    async open(deal) {
      const opened = origin.openStream(near, [credentials.certificate.id, victim.id], {
        protocol: "echo",
      });
      opened.catch(() => {/* the test looks at it below */});
      const incoming = await within("the stream", far.acceptStream());
      const stream = new BufferedStream(incoming!);
      const [kind] = await stream.readExact(1);
      assert.equal(kind, streamKind.mesh);
      const header = decodeHeader(await readFrame16(stream, maxHeaderBytes));
      dealings.push(
        deal(stream, header).catch(() => {
          // Streams that break are what this is about; what they break into is asserted at their other end.
        }),
      );
      return await within("the stream's opening", opened);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Passes everything on, as a relay should, after it was looked at. */
async function carry(
  stream: BufferedStream,
  onward: Session,
  header: StreamHeader,
  watch: (bytes: Uint8Array, number: number) => Uint8Array = (bytes) => bytes,
): Promise<void> {
  const out = await onward.openStream();
  await out.write(encodeHeader({ ...header, position: header.position + 1 }));
  let count = 0;
  const watched: ByteStream = {
    read: async () => {
      const chunk = await stream.read();
      return chunk && watch(chunk, count++);
    },
    write: (chunk) => stream.write(chunk),
    closeWrite: () => stream.closeWrite(),
    reset: (code) => stream.reset(code),
    closed: stream.closed,
    [Symbol.asyncDispose]: () => Promise.resolve(stream[Symbol.asyncDispose]()),
  };
  await pipe(watched, out).catch(() => {/* broken on purpose */});
}

for (const transport of transports) {
  Deno.test(`over ${transport}, a relay cannot end a stream itself, nor lead it to another node`, async () => {
    const { hooks, served } = countedEcho();
    await using scene = await createScene(transport, { victim: { hooks }, friend: { hooks } });
    await using way = await detour(scene);
    const { ca, victim } = scene;
    const asVictim = await ca.forge.wrongId(victim.id);
    const relay = (await ca.issue()).key;
    for (
      const credentials of [await ca.issue({ key: relay }), { ...asVictim, anchor: ca.anchor }]
    ) {
      await assert.rejects(way.open(async (stream) => {
        await stream.write(encodeAnswer({ status: 0, reason: "", hop: victim.id }));
        await tlsAccept(stream, {
          credentials,
          network: ca.network,
          now: Date.now(),
          signal: AbortSignal.timeout(20_000),
        }).catch(() => {/* the origin went away, as it should */});
      }));
    }
    // To a genuine node, only not the one that was asked for.
    await using toFriend = await RogueListener.listen(await ca.issue(), transport);
    const diverted = await startDiversion(scene, toFriend);
    await assert.rejects(way.open(diverted.deal));
    await diverted[Symbol.asyncDispose]();
    assert.equal(served.length, 0);
    await scene.assertServes();
  });

  Deno.test(`over ${transport}, a relay that reads, changes, cuts or repeats what it carries gains nothing`, async () => {
    const { hooks, served } = countedEcho();
    await using scene = await createScene(transport, { victim: { hooks } });
    await using way = await detour(scene);
    const secret = new TextEncoder().encode("attack at dawn");

    // Honest, so that the rest means something; and still it reads nothing.
    const seen: Uint8Array[] = [];
    const honest = await way.open((stream, header) =>
      carry(stream, way.onward, header, (bytes) => {
        seen.push(bytes.slice());
        return bytes;
      })
    );
    await assertEchoes(honest);
    const plain = await way.open((stream, header) =>
      carry(stream, way.onward, header, (bytes) => {
        seen.push(bytes.slice());
        return bytes;
      })
    );
    await plain.write(secret);
    assert.deepEqual(await within("the echo", plain.read()), secret);
    assert.ok(!contains(seen, secret), "the relay saw the secret");
    plain.reset();
    assert.deepEqual(served.map(({ origin }) => origin.id), [way.origin.id, way.origin.id]);

    // One changed bit in what the origin says.
    const changed = await way.open((stream, header) => {
      let armed = 0;
      return carry(stream, way.onward, header, (bytes) => {
        if (++armed < 3) return bytes;
        const copy = bytes.slice();
        copy[copy.length - 1]! ^= 1;
        return copy;
      });
    }).then((stream) => assertEchoes(stream).then(() => "echoed"), () => "failed").catch(() =>
      "failed"
    );
    assert.equal(changed, "failed");

    // A cut that pretends to be the end.
    const cut = await way.open(async (stream, header) => {
      const out = await way.onward.openStream();
      await out.write(encodeHeader({ ...header, position: 2 }));
      void pipeInto(stream, out);
      let passed = 0;
      for (let chunk = await out.read(); chunk !== null; chunk = await out.read()) {
        await stream.write(chunk);
        passed += chunk.length;
        if (passed > 100_000) break;
      }
      await stream.closeWrite();
      out.reset();
    });
    await assert.rejects(assertEchoes(cut, 400_000));

    // The whole stream once more, recorded and played to the victim again.
    const recorded: Uint8Array[] = [];
    let head: StreamHeader | undefined;
    const original = await way.open((stream, header) => {
      head = header;
      return carry(stream, way.onward, header, (bytes) => {
        recorded.push(bytes.slice());
        return bytes;
      });
    });
    await assertEchoes(original, 1_000);
    const before = served.length;
    const replay = await way.onward.openStream();
    await replay.write(encodeHeader({ ...head!, position: 2 }));
    for (const bytes of recorded) {
      await replay.write(bytes).catch(() => {/* refused before the end */});
    }
    await within("the end of the replay", drain(replay));
    assert.equal(served.length, before);
    await scene.assertServes();
  });
}

Deno.test("a stream's end-to-end handshake cannot be passed off as a link handshake", async () => {
  await using scene = await createScene("quic");
  await using way = await detour(scene);
  const { ca, victim } = scene;
  using raw = await RawQuic.connect(scene.address, ca);
  await assert.rejects(way.open(async (stream) => {
    await stream.write(encodeAnswer({ status: 0, reason: "", hop: victim.id }));
    await pipe(stream, await raw.openStream()).catch(() => {/* broken by either end */});
  }));
  assert.equal((await raw.ended()).code, 3);
  assert.equal(victim.link(way.origin.id), undefined);
  await scene.assertServes();
});

/** A relay that is linked to the friend as well, and takes streams there. */
async function startDiversion(scene: Scene, listener: RogueListener) {
  const member = await Member.create(listener.credentials, scene.transport);
  const session = await member.dial(scene.friend.listeners.address, scene.friend.id);
  return {
    deal: async (stream: BufferedStream, header: StreamHeader) => {
      const out = await session.openStream();
      const [origin] = header.path;
      await out.write(encodeHeader({
        ...header,
        path: [origin!, member.id, scene.friend.id],
        position: 2,
      }));
      await pipe(stream, out).catch(() => {/* the origin gives up */});
    },
    [Symbol.asyncDispose]: () => member[Symbol.asyncDispose](),
  };
}

async function pipeInto(from: ByteStream, to: ByteStream): Promise<void> {
  try {
    for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
      await to.write(chunk);
    }
    await to.closeWrite();
  } catch {
    // The other direction was cut, and this one with it.
  }
}

async function drain(stream: ByteStream): Promise<void> {
  try {
    while (await stream.read() !== null);
  } catch {
    // A reset is an end too.
  }
  stream.reset();
}

function contains(chunks: readonly Uint8Array[], wanted: Uint8Array): boolean {
  const hex = wanted.toHex();
  return chunks.map((chunk) => chunk.toHex()).join("").includes(hex);
}
