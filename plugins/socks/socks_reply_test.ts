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

Deno.test("a reply is ten bytes with an unspecified address", () => {
  assert.deepEqual([...encodeReply(socksReply.connectionRefused)], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
});
