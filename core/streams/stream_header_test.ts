import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../sessions/errors.ts";
import {
  decodeAnswer,
  decodeHeader,
  decodeRequest,
  encodeAnswer,
  encodeHeader,
  encodeRequest,
  maxPathNodes,
} from "./stream_header.ts";

const id = (n: number) => n.toString(16).padStart(32, "0");

Deno.test("headers, requests and answers survive the wire", () => {
  const header = { path: [id(1), id(2), id(3)], position: 1, protocol: "tcp", port: 22 };
  assert.deepEqual(decodeHeader(encodeHeader(header).subarray(3)), header);
  const request = { protocol: "ca.join", target: undefined, port: 0 };
  assert.deepEqual(decodeRequest(encodeRequest(request).subarray(2)), request);
  const answer = { status: 7, reason: "no link", hop: id(9) };
  assert.deepEqual(decodeAnswer(encodeAnswer(answer).subarray(2)), answer);
});

Deno.test("a path that repeats a node, is too long or does not hold its position is refused", () => {
  const bad = [
    { path: [id(1), id(2), id(1)], position: 1 },
    { path: Array.from({ length: maxPathNodes + 1 }, (_, n) => id(n)), position: 1 },
    { path: [id(1), id(2)], position: 2 },
    { path: [id(1), id(2)], position: 0 },
    { path: [id(1)], position: 1 },
  ];
  for (const part of bad) {
    const bytes = encodeHeader({ ...part, protocol: "tcp", port: 1 }).subarray(3);
    assert.throws(() => decodeHeader(bytes), ProtocolError);
  }
});

Deno.test("random bytes are a protocol error in every parser, never anything else", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    for (const decode of [decodeHeader, decodeRequest, decodeAnswer]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }
  }));
});
