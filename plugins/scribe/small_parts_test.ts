import assert from "node:assert/strict";
import { emptyBody } from "../../core/netconfig/empty_body.ts";
import { templateFor } from "./api/remote.ts";
import { configText } from "./config_text.ts";
import { diffBodies } from "./diff_bodies.ts";
import { parseDuration } from "./duration.ts";
import { laptop } from "./testing.ts";
import { parseVersion, versionText } from "./version_text.ts";

Deno.test("a version prints and reads back, and what is none is refused", () => {
  assert.deepEqual(parseVersion("3.17"), { epoch: 3, version: 17 });
  assert.equal(versionText(parseVersion("3.17")), "3.17");
  for (const text of ["", "3", "3.", ".3", "3.1.1", "-1.2", "1.2 ", "a.b", "9".repeat(16) + ".1"]) {
    assert.throws(() => parseVersion(text), { code: "SCRIBE_REQUEST_INVALID" });
  }
});

Deno.test("times are read with their unit, or as seconds", () => {
  assert.equal(parseDuration("90s"), 90_000);
  assert.equal(parseDuration("7d"), 604_800_000);
  assert.equal(parseDuration(1.5), 1_500);
  for (const text of ["", "1", "1y", "0s", "-1h", "4000d", NaN, 0]) {
    assert.throws(() => parseDuration(text), { code: "SCRIBE_REQUEST_INVALID" });
  }
});

Deno.test("equal configs are equal texts, in whatever order their keys came", () => {
  const entry = { name: "a", tags: ["x"], meshIp: null, pinnedVia: null };
  const { nodes: _, ...rest } = emptyBody;
  const shuffled = { pinnedVia: null, meshIp: null, tags: ["x"], name: "a" };
  assert.equal(
    configText({ ...emptyBody, nodes: { [laptop]: entry } }),
    configText({ nodes: { [laptop]: shuffled }, ...rest }),
  );
});

Deno.test("a difference names what is new, what is gone and what is otherwise", () => {
  const record = { name: "db", type: "A" as const, value: "10.0.0.1", ttl: 60 };
  const before = { ...emptyBody, dns: [record], templates: { a: { x: "1" } } };
  const after = {
    ...emptyBody,
    dns: [{ ...record, ttl: 61 }],
    revoked: [{ node: laptop, at: 1, reason: "" }],
  };
  assert.deepEqual(
    diffBodies(before, after).map((
      { what, before, after },
    ) => [what, before !== null, after !== null]),
    [
      ["dns.db A", true, true],
      ["templates.a", true, false],
      [`revoked.${laptop}`, false, true],
    ],
  );
  const shuffled = { ttl: 60, value: "10.0.0.1", type: "A" as const, name: "db" };
  assert.deepEqual(diffBodies(before, { ...before, dns: [shuffled] }), []);
});

Deno.test("of two templates that fit a node the longer pattern counts", () => {
  const body = {
    ...emptyBody,
    nodes: { [laptop]: { name: null, tags: ["site/a", "ci"], meshIp: null, pinnedVia: null } },
    templates: {
      "site/a": { level: "debug" },
      site: { level: "info", other: "x" },
      "site/b": { level: "warn" },
      sit: { level: "error" },
    },
  };
  assert.deepEqual(templateFor(body, laptop), { level: "debug", other: "x" });
});
