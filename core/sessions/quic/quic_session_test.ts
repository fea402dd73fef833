import assert from "node:assert/strict";
import type { NodeCertificate } from "../../identity/mod.ts";
import { memoryStreamPair } from "../../streams/memory_stream.ts";
import { sessionComplianceSuite } from "../compliance/mod.ts";
import { SessionClosedError } from "../errors.ts";
import { defaultSessionLimits } from "../types.ts";
import { DatagramInbox } from "./datagram_inbox.ts";
import { IncomingStreams } from "./incoming_streams.ts";
import { QuicSession } from "./quic_session.ts";
import { sessionPair } from "./testing.ts";

sessionComplianceSuite("QUIC session", sessionPair);

/** A stream of a connection that has ended since: nothing of it can be asked for any more. */
const gone = {
  get readable(): never {
    throw new Deno.errors.BadResource("Bad resource ID");
  },
} as unknown as Deno.QuicBidirectionalStream;

Deno.test("a stream that came with the end of the connection is the end of the session, and no failure", async () => {
  const ended = Promise.withResolvers<Deno.QuicCloseInfo>();
  const connection = {
    incomingBidirectionalStreams: ReadableStream.from([gone]),
    readDatagram: () => ended.promise.then(() => Promise.reject(new Error("closed"))),
    createBidirectionalStream: () => Promise.resolve(gone),
    close: (info: Deno.QuicCloseInfo) => ended.resolve(info),
    closed: ended.promise,
  } as unknown as Deno.QuicConn;
  const session = new QuicSession({
    connection,
    role: "acceptor",
    peer: { id: "a".repeat(32) } as NodeCertificate,
    control: memoryStreamPair()[0],
    incoming: new IncomingStreams(connection),
    datagrams: new DatagramInbox(connection),
  }, defaultSessionLimits);
  await assert.rejects(session.openStream(), SessionClosedError);
  assert.equal(await session.acceptStream(), null);
  await session.closed;
});
