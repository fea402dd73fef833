import assert from "node:assert/strict";
import { encodeReply, replyForCode, socksReply } from "./socks_reply.ts";

Deno.test("every reason a stream can fail with has the reply clients know it by", () => {
  assert.equal(replyForCode("STREAM_REFUSED"), socksReply.connectionRefused);
  assert.equal(replyForCode("STREAM_DENIED"), socksReply.notAllowed);
  assert.equal(replyForCode("SOCKS_OUTSIDE"), socksReply.notAllowed);
  assert.equal(replyForCode("NODE_UNKNOWN"), socksReply.hostUnreachable);
  assert.equal(replyForCode("STREAM_NO_LINK"), socksReply.networkUnreachable);
  assert.equal(replyForCode("STREAM_TIMEOUT"), socksReply.ttlExpired);
  assert.equal(replyForCode("ANYTHING"), socksReply.generalFailure);
});

Deno.test("a reply may name what is bound, in either family, and IPv4 seen as IPv6 is IPv4", () => {
  assert.deepEqual(
    [...encodeReply(socksReply.succeeded, { host: "::ffff:127.0.0.1", port: 258 })],
    [5, 0, 0, 1, 127, 0, 0, 1, 1, 2],
  );
  const v6 = encodeReply(socksReply.succeeded, { host: "::1", port: 1 });
  assert.deepEqual([v6.length, v6[3], v6.at(-3)], [22, 4, 1]);
});

Deno.test("a reply is ten bytes with an unspecified address", () => {
  assert.deepEqual([...encodeReply(socksReply.connectionRefused)], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
});
