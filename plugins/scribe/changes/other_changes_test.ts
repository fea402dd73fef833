import assert from "node:assert/strict";
import { approveRoute } from "./approve_route.ts";
import { removeRoute } from "./remove_route.ts";
import { removeTemplate } from "./remove_template.ts";
import { revokeNode } from "./revoke_node.ts";
import { rollBack } from "./roll_back.ts";
import { setName } from "./set_name.ts";
import { setTemplate } from "./set_template.ts";
import { after, context, laptop, server, start, tokenEntry } from "./testing.ts";

Deno.test("a route is approved in its one spelling, once for each node", () => {
  let body = after(start, approveRoute, { cidr: "192.168.7.9/24", via: laptop });
  assert.deepEqual(body.routes, [{ cidr: "192.168.7.0/24", via: laptop }]);
  assert.equal(after(body, approveRoute, { cidr: "192.168.7.0/24", via: laptop }), body);
  body = after(body, approveRoute, { cidr: "192.168.7.0/24", via: server });
  body = after(body, approveRoute, { cidr: "FD00:0:7::1/47", via: server });
  assert.equal(body.routes[2]?.cidr, "fd00:0:6::/47");
  for (const cidr of ["10.0.0.0", "10.0.0.0/33", "fd00::/129", "x/8", "", "10.0.0.0/-1"]) {
    assert.throws(() => approveRoute(start, { cidr, via: laptop }, context), {
      code: "EXIT_ROUTE_INVALID",
    });
  }
});

Deno.test("every address and the whole of a family are ranges too", () => {
  const kept = (cidr: string) => after(start, approveRoute, { cidr, via: laptop }).routes[0]?.cidr;
  assert.equal(kept("1.2.3.4/0"), "0.0.0.0/0");
  assert.equal(kept("1.2.3.4/32"), "1.2.3.4/32");
  assert.equal(kept("fd00::1/0"), "::/0");
  assert.equal(kept("10.255.0.0/9"), "10.128.0.0/9");
});

Deno.test("an approval is taken back from one node or from all", () => {
  let body = after(start, approveRoute, { cidr: "10.7.0.0/16", via: laptop });
  body = after(body, approveRoute, { cidr: "10.7.0.0/16", via: server });
  assert.deepEqual(after(body, removeRoute, { cidr: "10.7.1.1/16", via: laptop }).routes, [
    { cidr: "10.7.0.0/16", via: server },
  ]);
  assert.deepEqual(after(body, removeRoute, { cidr: "10.7.0.0/16" }), start);
  assert.throws(() => removeRoute(start, { cidr: "10.7.0.0/16" }, context), {
    code: "EXIT_ROUTE_UNKNOWN",
  });
});

Deno.test("a template is set, replaced as a whole and removed", () => {
  const body = after(start, setTemplate, { pattern: "site/a", settings: { "log-level": "debug" } });
  const next = after(body, setTemplate, { pattern: "site/a", settings: { socks: "true" } });
  assert.deepEqual(next.templates, { "site/a": { socks: "true" } });
  assert.equal(after(next, setTemplate, { pattern: "site/a", settings: { socks: "true" } }), next);
  assert.deepEqual(after(next, removeTemplate, { pattern: "site/a" }), start);
  assert.throws(() => removeTemplate(start, { pattern: "toString" }, context), {
    code: "TEMPLATE_UNKNOWN",
  });
  for (const settings of [{}, { "A": "x" }, { a: "x".repeat(513) }, { "": "x" }]) {
    assert.throws(() => setTemplate(start, { pattern: "a", settings }, context), {
      code: "TEMPLATE_INVALID",
    });
  }
  assert.throws(() => setTemplate(start, { pattern: "*", settings: { a: "b" } }, context), {
    code: "TAG_INVALID",
  });
});

Deno.test("going back restores everything but who is out and what tokens there are", () => {
  const old = after(start, setName, { node: server, name: "box" });
  let body = after(start, revokeNode, { node: laptop, reason: "" });
  body = { ...body, tokens: [tokenEntry()] };
  const back = after(body, rollBack, { version: "1.1", old: { ...old, tokens: [] } });
  assert.deepEqual(back, { ...body, nodes: old.nodes });
  assert.equal(after(back, rollBack, { version: "1.1", old }), back);
});
