import assert from "node:assert/strict";
import fc from "fast-check";
import { PulseError } from "../errors/mod.ts";
import {
  encodeTunnelOpened,
  encodeTunnelRefused,
  encodeTunnelRequest,
  maxTunnelLine,
  parseTunnelAnswer,
  parseTunnelRequest,
} from "./tunnel_protocol.ts";

const line = (encoded: Uint8Array) => {
  const text = new TextDecoder().decode(encoded);
  assert.equal(text.indexOf("\n"), text.length - 1);
  assert.equal(encoded.length <= maxTunnelLine, true);
  return text.slice(0, -1);
};

Deno.test("a request names node, target and, on TCP, the token; the port is the target's", () => {
  assert.deepEqual(parseTunnelRequest(`{"node":"b","target":"localhost:22"}`), {
    node: "b",
    target: "localhost:22",
    port: 22,
  });
  const full = { node: "b", target: "[::1]:443", token: "t" };
  assert.deepEqual(parseTunnelRequest(line(encodeTunnelRequest(full))), { ...full, port: 443 });
  assert.equal(parseTunnelRequest(`{"node":"b","target":"x:80","port":80}`).port, 80);
});

Deno.test("whatever is no request is refused with what was expected", () => {
  for (
    const text of [
      "",
      "GET / HTTP/1.1",
      "null",
      "[]",
      "{}",
      `{"node":"","target":"x:80"}`,
      `{"node":"b","target":"x"}`,
      `{"node":"b","target":"x:0"}`,
      `{"node":"b","target":"x:70000"}`,
      `{"node":"b","target":"::1:80"}`,
      `{"node":"b","target":"x:80","port":81}`,
      `{"node":"b","target":"x:80","extra":1}`,
      `{"node":"${"b".repeat(101)}","target":"x:80"}`,
    ]
  ) assert.throws(() => parseTunnelRequest(text), { code: "TUNNEL_INVALID" }, text);
});

Deno.test("an answer is an opened tunnel or the error that kept it from opening", () => {
  const opened = { node: "b", path: ["a", "r", "b"] };
  assert.deepEqual(parseTunnelAnswer(line(encodeTunnelOpened(opened))), opened);
  assert.throws(() => parseTunnelAnswer(line(encodeTunnelRefused("NODE_UNKNOWN", "no x"))), {
    code: "NODE_UNKNOWN",
    message: "no x",
  });
  assert.throws(() => parseTunnelAnswer("HTTP/1.1 400"), { code: "CONTROL_PROTOCOL" });
});

Deno.test("any text is a request, an answer or a typed error, and any refusal fits its line", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary", maxLength: 5_000 }), fc.json()), (text) => {
      for (const parse of [parseTunnelRequest, parseTunnelAnswer]) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof PulseError);
        }
      }
      line(encodeTunnelRefused(text, text));
    }),
  );
});
