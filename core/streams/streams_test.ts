import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createTestCa } from "../identity/testing.ts";
import { ProtocolError } from "../sessions/errors.ts";
import { BufferedStream } from "./buffered_stream.ts";
import { StreamError, streamStatus } from "./errors.ts";
import { readFrame16 } from "./framed_io.ts";
import type { IncomingRequest } from "./incoming_request.ts";
import { memoryStreamPair } from "./memory_stream.ts";
import { openMeshStream } from "./open_stream.ts";
import { decodeAnswer, encodeAnswer, encodeHeader, encodeRequest } from "./stream_header.ts";
import { StreamNode } from "./testing.ts";
import { tlsAccept, tlsConnect } from "../sessions/tls/mod.ts";

/** a - b - c - d in a row; no others are linked. */
async function row(): Promise<[StreamNode, StreamNode, StreamNode, StreamNode]> {
  const ca = await createTestCa();
  const nodes = [
    new StreamNode(await ca.issue()),
    new StreamNode(await ca.issue()),
    new StreamNode(await ca.issue()),
    new StreamNode(await ca.issue()),
  ] as [StreamNode, StreamNode, StreamNode, StreamNode];
  for (let n = 0; n < 3; n++) nodes[n]!.link(nodes[n + 1]!);
  return nodes;
}

/** Sends back what comes, then ends its side after the other has ended. */
async function echo(request: IncomingRequest): Promise<void> {
  const stream = await request.accept();
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    await stream.write(chunk);
  }
  await stream.closeWrite();
}

for (const hops of [1, 2, 3]) {
  Deno.test(`a stream over ${hops} hop(s) echoes 3 MB, carries half-close, and proves both ends`, async () => {
    const nodes = await row();
    const path = nodes.slice(0, hops + 1);
    const [origin, destination] = [path[0]!, path[hops]!];
    let seen: IncomingRequest | undefined;
    destination.serve = (request) => {
      seen = request;
      return echo(request);
    };
    const stream = await openMeshStream(origin.deps, path.map((node) => node.id), {
      destination: destination.id,
      protocol: "tcp",
      target: "localhost:22",
      port: 22,
    });
    assert.equal(stream.peer.id, destination.id);
    assert.deepEqual(stream.path, path.map((node) => node.id));
    const data = crypto.getRandomValues(new Uint8Array(60_000));
    const sent = createHash("sha256");
    const returned = createHash("sha256");
    const reading = (async () => {
      for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
        returned.update(chunk);
      }
    })();
    for (let n = 0; n < 50; n++) {
      sent.update(data);
      await stream.write(data);
    }
    await stream.closeWrite();
    await reading;
    assert.equal(returned.digest("hex"), sent.digest("hex"));
    assert.equal(seen?.from.origin.id, origin.id);
    assert.equal(seen?.from.target, "localhost:22");
    await Promise.all(nodes.map((node) => node.idle()));
    assert.deepEqual(nodes.flatMap((node) => node.errors), []);
  });
}

Deno.test("the destination's refusal arrives with its code and words, direct and through relays", async () => {
  const nodes = await row();
  for (const hops of [1, 3]) {
    const destination = nodes[hops]!;
    destination.serve = (request) => request.refuse("STREAM_REFUSED", "localhost:1 refused");
    await assert.rejects(
      openMeshStream(nodes[0].deps, nodes.slice(0, hops + 1).map((node) => node.id), {
        destination: destination.id,
        protocol: "tcp",
        target: "localhost:1",
        port: 1,
      }),
      (error) =>
        error instanceof StreamError && error.status === "STREAM_REFUSED" &&
        error.message === "localhost:1 refused",
    );
  }
  await Promise.all(nodes.map((node) => node.idle()));
});

Deno.test("a relay without a link to the next hop says so and is named", async () => {
  const [a, b, , d] = await row();
  await assert.rejects(
    openMeshStream(a.deps, [a.id, b.id, d.id], { destination: d.id, protocol: "tcp", port: 1 }),
    (error) =>
      error instanceof StreamError && error.status === "STREAM_NO_LINK" &&
      error.fields.hop === b.id,
  );
  await b.idle();
});

Deno.test("a relay's own refusal stops the stream before the destination hears of it", async () => {
  const [a, b, c] = await row();
  b.authorize = () => {
    throw new StreamError("STREAM_DENIED", "not through here");
  };
  c.serve = () => assert.fail("the destination must not be asked");
  await assert.rejects(
    openMeshStream(a.deps, [a.id, b.id, c.id], { destination: c.id, protocol: "tcp", port: 1 }),
    (error) => error instanceof StreamError && error.status === "STREAM_DENIED",
  );
  await b.idle();
});

Deno.test("a relay cannot stand in for the destination", async () => {
  const [a, b, c] = await row();
  // b is asked to carry the stream to c, and answers itself instead.
  const session = a.deps.session(b.id)!;
  const served: unknown[] = [];
  const lying = {
    ...a.deps,
    session: () => ({
      peer: session.peer,
      openStream: () => {
        const [near, far] = memoryStreamPair();
        (async () => {
          const stream = new BufferedStream(far);
          await stream.readExact(1);
          await readFrame16(stream, 1024);
          await stream.write(encodeAnswer({ status: 0, reason: "", hop: c.id }));
          await tlsAccept(stream, {
            credentials: b.credentials,
            network: b.deps.network,
            now: Date.now(),
            signal: new AbortController().signal,
          });
        })().catch((error) => served.push(error));
        return Promise.resolve(near);
      },
    }),
  };
  await assert.rejects(
    openMeshStream(lying, [a.id, b.id, c.id], { destination: c.id, protocol: "tcp", port: 1 }),
    (error) => error instanceof StreamError && error.status === "STREAM_FAILED",
  );
});

Deno.test("an origin that is not who the path says, and a sealed request that differs, are refused", async () => {
  const [a, b, c] = await row();
  c.serve = () => assert.fail("nothing may be served");
  const cases = [
    { origin: a, request: { protocol: "tcp", target: "localhost:22", port: 22 }, declared: 80 },
    { origin: b, request: { protocol: "tcp", target: "localhost:80", port: 80 }, declared: 80 },
  ];
  for (const { origin, request, declared } of cases) {
    const stream = new BufferedStream(await a.deps.session(b.id)!.openStream());
    await stream.write(
      encodeHeader({ path: [a.id, b.id, c.id], position: 1, protocol: "tcp", port: declared }),
    );
    assert.equal(decodeAnswer(await readFrame16(stream, 1024)).status, 0);
    const signal = new AbortController().signal;
    const outcome = (async () => {
      const tls = await tlsConnect(stream, {
        credentials: origin.credentials,
        expect: c.id,
        network: a.deps.network,
        now: Date.now(),
        signal,
      });
      await tls.write(encodeRequest({ ...request, target: request.target }));
      const answer = decodeAnswer(await readFrame16(new BufferedStream(tls), 1024));
      tls.reset();
      return answer.status === 0 ? "served" : "refused";
    })().catch(() => "refused");
    assert.equal(await outcome, "refused");
    stream.reset();
  }
  await Promise.all([b.idle(), c.idle()]);
  assert.equal(c.errors.filter((error) => error instanceof ProtocolError).length, 2);
});

Deno.test("a header that lies about its place or its last hop is refused", async () => {
  const [a, b, c] = await row();
  const lies = [
    { path: [c.id, b.id], position: 1 },
    { path: [a.id, c.id], position: 1 },
    { path: [c.id, a.id, b.id], position: 1 },
  ];
  for (const lie of lies) {
    const stream = new BufferedStream(await a.deps.session(b.id)!.openStream());
    await stream.write(encodeHeader({ ...lie, protocol: "tcp", port: 1 }));
    assert.equal(
      decodeAnswer(await readFrame16(stream, 1024)).status,
      streamStatus.STREAM_BAD_REQUEST,
    );
    stream.reset();
  }
  await b.idle();
});
