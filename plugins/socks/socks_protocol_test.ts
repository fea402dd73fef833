import assert from "node:assert/strict";
import fc from "fast-check";
import { SocksProtocolError } from "./errors.ts";
import { SocksProtocol, type SocksStep, type SocksUsers } from "./socks_protocol.ts";

const bytes = (...parts: (number | string)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]
    ),
  );

/** Feeds everything, whole or a byte at a time; all that was sent and the last step. */
function converse(
  input: Uint8Array,
  size: number,
  users?: SocksUsers,
): SocksStep & { readonly rest: number[] } {
  const protocol = new SocksProtocol(users);
  const send: number[] = [];
  let last: SocksStep = { send: new Uint8Array(0) };
  for (let at = 0; at < input.length && !last.end; at += size) {
    const step = protocol.push(input.subarray(at, at + size));
    send.push(...step.send);
    last = { ...last, ...step };
  }
  return { ...last, send: Uint8Array.from(send), rest: [...protocol.rest()] };
}

const greeting = [5, 1, 0];
const users = new Map([["ann", "secret"]]);

for (const size of [1, 2, 1024]) {
  Deno.test(`IPv4, IPv6 and names are understood when ${size} bytes come at a time`, () => {
    const cases: [number[], string][] = [
      [[1, 127, 0, 0, 1], "127.0.0.1"],
      [[4, ...new Array<number>(15).fill(0), 1], "::1"],
      [[3, 7, ...bytes("x.pulse")], "x.pulse"],
    ];
    for (const [address, host] of cases) {
      const step = converse(Uint8Array.from([...greeting, 5, 1, 0, ...address, 0, 80]), size);
      assert.deepEqual([...step.send], [5, 0]);
      assert.deepEqual(step.request, { host, port: 80 });
    }
  });
}

Deno.test("payload that came with the request is kept", () => {
  const step = converse(bytes(5, 1, 0, 5, 1, 0, 1, 1, 2, 3, 4, 0, 80, "GET /"), 1024);
  assert.equal(new TextDecoder().decode(Uint8Array.from(step.rest)), "GET /");
});

Deno.test("a client that sends everything ahead, payload and all, is understood", () => {
  const login = bytes(5, 1, 2, 1, 3, "ann", 6, "secret");
  const payload = new Uint8Array(100_000).fill(7);
  const all = new Uint8Array([...login, ...bytes(5, 1, 0, 3, 7, "x.pulse", 1, 187), ...payload]);
  const step = converse(all, all.length, users);
  assert.deepEqual([...step.send], [5, 2, 1, 0]);
  assert.deepEqual(step.request, { host: "x.pulse", port: 443 });
  assert.equal(step.rest.length, payload.length);
});

Deno.test("no method, and 255 methods without ours, are answered 0xFF and the end", () => {
  for (const methods of [[5, 0], [5, 255, ...new Array<number>(255).fill(2)]]) {
    const step = converse(Uint8Array.from(methods), 1024);
    assert.deepEqual([[...step.send], step.end], [[5, 0xff], true]);
  }
});

Deno.test("with users configured only the password method is taken, and only the right password passes", () => {
  assert.deepEqual([...converse(bytes(5, 1, 0), 9, users).send], [5, 0xff]);
  const login = (password: string) =>
    converse(bytes(5, 2, 0, 2, 1, 3, "ann", password.length, password), 1, users);
  assert.deepEqual([...login("secret").send], [5, 2, 1, 0]);
  assert.deepEqual([[...login("secreT").send], login("").end], [[5, 2, 1, 1], true]);
  const stranger = converse(bytes(5, 1, 2, 1, 3, "bob", 0), 1, users);
  assert.deepEqual([...stranger.send], [5, 2, 1, 1]);
});

Deno.test("BIND, unknown address types and empty names get their own replies", () => {
  const reply = (...request: number[]) => {
    const step = converse(Uint8Array.from([...greeting, ...request]), 1024);
    assert.equal(step.end, true);
    return step.send[3];
  };
  assert.equal(reply(5, 2, 0, 1, 1, 2, 3, 4, 0, 80), 7);
  assert.equal(reply(5, 1, 0, 9, 1, 2, 3, 4, 0, 80), 8);
  assert.equal(reply(5, 1, 0, 3, 0, 0, 80), 4);
  assert.equal(reply(5, 1, 0, 1, 1, 2, 3, 4, 0, 0), 4);
  assert.equal(reply(5, 1, 0, 3, 2, 10, 13, 0, 80), 4);
});

Deno.test("UDP ASSOCIATE is understood, with the port the client sends from or without", () => {
  for (const port of [0, 80]) {
    const step = converse(Uint8Array.from([...greeting, 5, 3, 0, 1, 0, 0, 0, 0, 0, port]), 1);
    assert.deepEqual([step.associate, step.request, step.end], [{ port }, undefined, undefined]);
  }
});

Deno.test("a name of 255 bytes is refused as no host, not as a broken protocol", () => {
  const name = new Array<number>(255).fill(97);
  const step = converse(Uint8Array.from([...greeting, 5, 1, 0, 3, 255, ...name, 0, 80]), 7);
  assert.equal(step.send[3], 4);
});

Deno.test("another version of SOCKS, or another protocol, is an error", () => {
  assert.throws(() => converse(bytes(4, 1, 0, 80), 1), SocksProtocolError);
  assert.throws(() => converse(bytes("GET / HTTP/1.1"), 1), SocksProtocolError);
});

Deno.test("random bytes never do anything but answer, ask for more or break the protocol", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      fc.integer({ min: 1, max: 50 }),
      (input, size) => {
        try {
          const step = converse(input, size);
          assert.ok(step.send.length < 600);
        } catch (error) {
          assert.ok(error instanceof SocksProtocolError, String(error));
        }
      },
    ),
  );
});
