import assert from "node:assert/strict";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { memoryStreamPair } from "../../../core/streams/memory_stream.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { eventually } from "../../../tests/lab/mod.ts";
import type { DirectionKey } from "./key_agreement.ts";
import { KeyExchange, type KeyExchangeOptions } from "./key_exchange.ts";
import { decodeHello, encodeHello } from "./hello_message.ts";

interface End {
  readonly exchange: KeyExchange;
  readonly done: string[];
  readonly seal: DirectionKey[];
  readonly receive: DirectionKey[];
  readonly ports: number[];
}

let nextReceiver = 1;

function makeEnd(more: Partial<KeyExchangeOptions> & { initiator: boolean; port: number }): End {
  const end = { done: [], seal: [], receive: [], ports: [] } as Omit<End, "exchange">;
  const { initiator, port, ...rest } = more;
  const exchange = new KeyExchange({
    agreement: {
      initiator,
      ciphers: ["aes-128-gcm"],
      secret: () => crypto.getRandomValues(new Uint8Array(32)),
      receiver: () => nextReceiver++,
    },
    hello: { port },
    open: () => Promise.reject(new Error("nobody there")),
    act: (action) => {
      end.done.push(action.do);
      if (action.do === "seal" || action.do === "receive") end[action.do].push(action.key);
    },
    helloed: ({ port }) => void end.ports.push(port),
    now: () => performance.now(),
    log: () => {},
    ...rest,
  });
  return { exchange, ...end };
}

/** Two ends; `streams` holds the initiator's end of each stream it has opened. */
function pair(more: { failures?: number } = {}) {
  const streams: ByteStream[] = [];
  let failures = more.failures ?? 0;
  const responder = makeEnd({ initiator: false, port: 0 });
  const initiator = makeEnd({
    initiator: true,
    port: 4_500,
    open: () => {
      if (failures-- > 0) return Promise.reject(new Error("out of reach"));
      const [near, far] = memoryStreamPair();
      streams.push(near);
      void responder.exchange.accept(far);
      return Promise.resolve(near);
    },
  });
  return {
    initiator,
    responder,
    streams,
    [Symbol.dispose]: () => {
      initiator.exchange[Symbol.dispose]();
      responder.exchange[Symbol.dispose]();
    },
  };
}

Deno.test("two ends tell each other of themselves and then have keys that fit", async () => {
  using ends = pair();
  const { initiator, responder } = ends;
  await eventually(() => initiator.seal.length === 1 && responder.seal.length === 1, {
    what: "keys",
  });
  assert.deepEqual([initiator.ports, responder.ports], [[0], [4_500]]);
  assert.deepEqual(initiator.seal[0], responder.receive[0]);
  assert.deepEqual(responder.seal[0], initiator.receive[0]);
});

Deno.test("a broken channel is opened again and new keys are agreed on", async () => {
  using ends = pair({ failures: 1 });
  const { initiator, responder, streams } = ends;
  await eventually(() => initiator.seal.length === 1, { what: "keys" });
  streams[0]!.reset();
  await eventually(() => initiator.seal.length === 2, { what: "keys again" });
  responder.exchange.heard(initiator.seal[1]!.epoch);
  assert.deepEqual(responder.seal[1], initiator.receive[1]);
});

Deno.test("a channel that could not be opened again and again is tried at once when that may be over", async () => {
  let tries = 0;
  const { exchange } = makeEnd({
    initiator: true,
    port: 0,
    open: () => {
      tries++;
      return Promise.reject(new Error("out of reach"));
    },
  });
  // Seconds lie between the tries by then.
  for (let n = 1; n <= 12; n++) {
    await eventually(() => tries >= n, { what: `try ${n}`, intervalMs: 1, timeoutMs: 5_000 });
    exchange.retry();
  }
  exchange[Symbol.dispose]();
});

Deno.test("a channel on which the other end says nothing, or stops to answer, is opened again", async () => {
  const now = { ms: 0 };
  const far: ByteStream[] = [];
  const { exchange } = makeEnd({
    initiator: true,
    port: 0,
    helloMs: 20,
    now: () => now.ms,
    open: () => {
      const [near, other] = memoryStreamPair();
      far.push(other);
      return Promise.resolve(near);
    },
  });
  await eventually(() => far.length === 2, { what: "another channel", intervalMs: 5 });
  const messages = new DatagramStream(far[1]!);
  await messages.send(encodeHello({ port: 1 }));
  assert.equal(decodeHello((await messages.receive())!).port, 0);
  await messages.receive();
  // The first offer was made by itself, each tick makes another one.
  for (let offers = 1; offers < 4; offers++) {
    now.ms += 5_000;
    exchange.tick();
  }
  await eventually(() => far.length === 3, { what: "a third channel", intervalMs: 5 });
  exchange[Symbol.dispose]();
  for (const stream of far) stream.reset();
});

Deno.test("whoever opens a channel to the end that offers, or talks nonsense, is cut off", async () => {
  const offers = makeEnd({ initiator: true, port: 0 });
  const [near, far] = memoryStreamPair();
  await offers.exchange.accept(far);
  await assert.rejects(near.read());
  offers.exchange[Symbol.dispose]();

  const answers = makeEnd({ initiator: false, port: 0 });
  const [mine, theirs] = memoryStreamPair();
  const serving = answers.exchange.accept(theirs);
  const messages = new DatagramStream(mine);
  assert.deepEqual(decodeHello((await messages.receive())!), { port: 0 });
  await messages.send(new Uint8Array([0xc1]));
  await serving;
  assert.deepEqual(answers.done, []);
  answers.exchange[Symbol.dispose]();
});

Deno.test("a hello may say more than is understood, and nothing else passes for one", () => {
  assert.deepEqual(decodeHello(encodeHello({ port: 9 })), { port: 9 });
  assert.deepEqual(decodeHello(new Uint8Array([0x93, 0xa5, ...text("hello"), 7, 8])), { port: 7 });
  for (const bytes of [[], [0x90], [0x92, 0xa5, ...text("hallo"), 7], Array(300).fill(0)]) {
    assert.throws(() => decodeHello(new Uint8Array(bytes)), { code: "KEY_MESSAGE_INVALID" });
  }
});

function text(of: string): Uint8Array {
  return new TextEncoder().encode(of);
}
