import assert from "node:assert/strict";
import { refuseHead, type RequestHead } from "./request_head.ts";

type Changes = Partial<Omit<RequestHead, "headers">> & {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
};

/** Status and code of the refusal; null when the request may go on. */
function verdict({ headers = {}, ...changes }: Changes, names: readonly string[] = []) {
  const all = { host: "127.0.0.1:8080", ...headers };
  const problem = refuseHead({
    method: "GET",
    target: "/api/status",
    localAddress: "127.0.0.1",
    secure: false,
    ...changes,
    headers: new Map(
      Object.entries(all).map(([name, value]) => [name, [value].flat()]),
    ),
  }, new Set(names));
  return problem === undefined ? null : `${problem.status} ${problem.code}`;
}

const host = (text: string, localAddress = "127.0.0.1", names: readonly string[] = []) =>
  verdict({ headers: { host: text }, localAddress }, names);

Deno.test("a host is the address that was connected to, localhost on loopback, or a name that was given", () => {
  for (
    const text of ["127.0.0.1", "127.0.0.1:8080", "127.0.0.1:1", "localhost", "LOCALHOST:8080"]
  ) {
    assert.equal(host(text), null, text);
  }
  assert.equal(host("[::1]:8080", "::1"), null);
  assert.equal(host("localhost:8080", "::1"), null);
  assert.equal(host("127.0.0.1:8080", "::ffff:127.0.0.1"), null);
  assert.equal(host("192.0.2.1", "192.0.2.1"), null);
  assert.equal(host("pulse.example.com", "192.0.2.1", ["pulse.example.com"]), null);
  assert.equal(host("PULSE.example.com:8443", "192.0.2.1", ["pulse.example.com"]), null);
});

Deno.test("any other host is one that somebody made point here", () => {
  for (
    const text of [
      "",
      "evil.example",
      "127.0.0.2",
      "192.0.2.1:8080",
      "localhost.evil.example",
      "evil.localhost",
      "localhost.",
      "127.0.0.1.evil.example",
      "0x7f.1",
      "2130706433",
      "[::1]",
      "127.0.0.1:8080@evil",
      "127.0.0.1 evil",
      "a".repeat(10_000),
    ]
  ) assert.equal(host(text), "421 REQUEST_HOST", text);
  assert.equal(host("localhost", "192.0.2.1"), "421 REQUEST_HOST");
  assert.equal(verdict({ headers: { host: [] } }), "421 REQUEST_HOST");
});

Deno.test("a page of another site is refused, by Origin or by what the browser says of the site", () => {
  const from = (headers: Record<string, string>) => verdict({ headers });
  assert.equal(from({ origin: "http://127.0.0.1:8080" }), null);
  assert.equal(from({ "sec-fetch-site": "same-origin" }), null);
  assert.equal(from({ "sec-fetch-site": "none" }), null);
  for (
    const origin of [
      "null",
      "",
      "https://127.0.0.1:8080",
      "http://127.0.0.1",
      "http://127.0.0.1:8081",
      "http://localhost:8080",
      "https://evil.example",
      "http://127.0.0.1:8080, http://evil",
    ]
  ) assert.equal(from({ origin }), "403 REQUEST_ORIGIN", origin);
  for (const site of ["cross-site", "same-site", "", "else"]) {
    assert.equal(from({ "sec-fetch-site": site }), "403 REQUEST_ORIGIN", site);
  }
  assert.equal(
    verdict({ secure: true, headers: { origin: "https://127.0.0.1:8080" } }),
    null,
  );
});

Deno.test("only JSON of a reasonable size is read any further", () => {
  const body = (headers: Record<string, string>, method = "POST") => verdict({ method, headers });
  const json = { "content-type": "application/json" };
  assert.equal(body({}), null);
  assert.equal(body({ "content-length": "0" }), null);
  assert.equal(body({ ...json, "content-length": "1048576" }), null);
  assert.equal(body({ ...json, "transfer-encoding": "chunked" }), null);
  assert.equal(body({ ...json, "content-length": "1048577" }), "413 BODY_TOO_LARGE");
  assert.equal(body({ ...json, "content-length": "-1" }), "400 HEADER_INVALID");
  assert.equal(body({ ...json, "content-length": "5" }, "GET"), "400 BODY_INVALID");
  for (
    const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonp",
      "text/plain;application/json",
      "",
    ]
  ) {
    const verdict = body({ "content-type": type, "content-length": "2" });
    assert.equal(verdict, "415 BODY_MEDIA_TYPE", type);
  }
  assert.equal(body({ "content-length": "2" }), "415 BODY_MEDIA_TYPE");
  assert.equal(
    body({ ...json, "content-length": "2", "content-encoding": "gzip" }),
    "415 BODY_MEDIA_TYPE",
  );
});

Deno.test("proxies' targets, other methods and doubled headers are refused", () => {
  assert.equal(verdict({ target: "http://127.0.0.1:8080/" }), "400 REQUEST_TARGET");
  assert.equal(verdict({ target: "*" }), "400 REQUEST_TARGET");
  for (const method of ["OPTIONS", "TRACE", "CONNECT", "PATCH", "get"]) {
    assert.equal(verdict({ method }), "405 METHOD_NOT_ALLOWED", method);
  }
  assert.equal(verdict({ headers: { host: ["127.0.0.1", "evil"] } }), "400 HEADER_INVALID");
  assert.equal(verdict({ headers: { authorization: ["a", "b"] } }), "400 HEADER_INVALID");
});
