import assert from "node:assert/strict";
import { DialError, LinkRefusedError } from "../errors.ts";
import { type Session, SessionCloseCode } from "../types.ts";
import { dialBest } from "./dialer.ts";

const target = { host: "127.0.0.1", port: 1 };
const signal = new AbortController().signal;

/** A session that only knows its kind and whether it was closed. */
function fakeSession(kind: "quic" | "websocket") {
  const closed = Promise.withResolvers<void>();
  const session = {
    kind,
    close: () => {
      closed.resolve();
      return Promise.resolve();
    },
  } as unknown as Session;
  return { session, closed: closed.promise };
}

const after = <T>(promise: Promise<unknown>, value: T) => promise.then(() => value);
const never = (_: unknown, { signal }: { signal: AbortSignal }) =>
  new Promise<Session>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );

Deno.test("QUIC that answers at once wins, and WebSocket is never dialled", async () => {
  const quic = fakeSession("quic");
  const session = await dialBest(target, {
    signal,
    transports: {
      quic: { dial: () => Promise.resolve(quic.session) },
      websocket: { dial: () => assert.fail("must not be dialled") },
    },
  });
  assert.equal(session, quic.session);
});

Deno.test("when QUIC fails WebSocket is dialled at once, without the head start", async () => {
  const websocket = fakeSession("websocket");
  const session = await dialBest(target, {
    signal,
    delayMs: 1_000_000,
    transports: {
      quic: { dial: () => Promise.reject(new Error("UDP is blocked")) },
      websocket: { dial: () => Promise.resolve(websocket.session) },
    },
  });
  assert.equal(session, websocket.session);
});

Deno.test("when QUIC is silent WebSocket wins after the head start and QUIC is given up", async () => {
  const websocket = fakeSession("websocket");
  const session = await dialBest(target, {
    signal,
    delayMs: 1,
    graceMs: 1,
    transports: {
      quic: { dial: never },
      websocket: { dial: () => Promise.resolve(websocket.session) },
    },
  });
  assert.equal(session, websocket.session);
});

Deno.test("QUIC that comes in just after WebSocket is preferred and the WebSocket is closed", async () => {
  const quic = fakeSession("quic");
  const websocket = fakeSession("websocket");
  const dialled = Promise.withResolvers<void>();
  const session = await dialBest(target, {
    signal,
    delayMs: 1,
    graceMs: 1_000_000,
    transports: {
      quic: { dial: () => after(dialled.promise.then(() => Promise.resolve()), quic.session) },
      websocket: {
        dial: () => {
          dialled.resolve();
          return Promise.resolve(websocket.session);
        },
      },
    },
  });
  assert.equal(session, quic.session);
  await websocket.closed;
});

Deno.test("a refusal is an answer: it ends the race with its reason", async () => {
  await assert.rejects(
    dialBest(target, {
      signal,
      delayMs: 1,
      transports: {
        quic: {
          dial: () => Promise.reject(new LinkRefusedError("revoked", SessionCloseCode.revoked)),
        },
        websocket: { dial: never },
      },
    }),
    LinkRefusedError,
  );
});

Deno.test("when both fail the error tells why each did", async () => {
  await assert.rejects(
    dialBest(target, {
      signal,
      transports: {
        quic: { dial: () => Promise.reject(new Error("no UDP")) },
        websocket: { dial: () => Promise.reject(new Error("no TCP")) },
      },
    }),
    (error) => error instanceof DialError && /no UDP.*no TCP/.test(error.message),
  );
});

Deno.test("with one transport switched off the other is used alone", async () => {
  const websocket = fakeSession("websocket");
  const session = await dialBest(target, {
    signal,
    transports: { quic: undefined, websocket: { dial: () => Promise.resolve(websocket.session) } },
  });
  assert.equal(session, websocket.session);
});
