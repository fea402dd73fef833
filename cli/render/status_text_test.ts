import assert from "node:assert/strict";
import { sampleStatus } from "../../core/control/testing.ts";
import type { PeerStatus } from "../../core/control/types.ts";
import { statusText } from "./status_text.ts";
import { textWidth } from "./text_width.ts";

const peer = (changes: Partial<PeerStatus>): PeerStatus => ({
  id: "20c6d3c9238f80c2aaaaaaaaaaaaaaaa",
  name: "laptop",
  tags: ["dev", "eu"],
  addresses: ["192.0.2.7:8443"],
  meshAddresses: ["10.100.50.254"],
  link: "quic",
  carrier: null,
  latencyMs: 4.26,
  loss: 0,
  hops: 1,
  path: ["a", "b"],
  reason: null,
  version: "0.1.0",
  roles: [],
  capabilities: ["relay", "socks"],
  lastSeenSeconds: 12.3,
  bytesIn: 0,
  bytesOut: 0,
  ...changes,
});

const report = sampleStatus({
  peers: [
    peer({}),
    peer({
      id: "f752d605d4522bfbbbbbbbbbbbbbbbbb",
      name: null,
      tags: [],
      addresses: [],
      link: "-",
      latencyMs: 31,
      loss: 0.104,
      hops: 2,
      path: ["4353db8f32bad580", "20c6d3c9238f80c2aaaaaaaaaaaaaaaa", "f752d605d4522bfb"],
      reason: "no direct link: the node advertises no address; relayed",
    }),
    peer({
      id: "0123456789abcdefcccccccccccccccc",
      link: "-",
      latencyMs: null,
      hops: 0,
      path: [],
      reason: "no path: \x1b[31mevil",
      version: "",
    }),
  ],
  warnings: [{ code: "CERTIFICATE_EXPIRING", severity: "warning", text: "renew it" }],
});

Deno.test("the status shows this node, every other one, who is out of reach and what is wrong", () => {
  assert.equal(
    statusText(report, { width: undefined }),
    `Node 4353db8f32bad58020c6d3c9238f80c2
network corp, mesh 10.100.255.212, fd12:3456:789a::1
up 1h 2m, 3 peers (1 linked), pid 4711
certificate valid, 90d left
network config 1.3, scribe this node

NODE ID     NAME    TAGS    ADDR                   MESH IP         LINK          LATENCY  LOSS  HOPS  VERSION  ROLES  LAST SEEN
4353db8f *  relay   -       relay.example.com:443  10.100.255.212  self                -     -     0  0.1.0    ca           now
20c6d3c9    laptop  dev,eu  192.0.2.7:8443         10.100.50.254   quic            4.3ms    0%     1  0.1.0    socks    12s ago
f752d605    -       -       -                      10.100.50.254   via 20c6d3c9   31.0ms   10%     2  0.1.0    socks    12s ago
01234567    laptop  dev,eu  192.0.2.7:8443         10.100.50.254   -                   -     -     -  -        socks    12s ago

01234567 is out of reach: no path: \\x1b[31mevil

warning: renew it [CERTIFICATE_EXPIRING]
`,
  );
});

Deno.test("at 80 columns the table stays readable and says what it leaves out", () => {
  const lines = statusText(report, { width: 80 }).split("\n");
  const table = lines.slice(6, 11);
  for (const line of table) assert.equal(textWidth(line) <= 80, true, line);
  for (const title of ["NODE ID", "MESH IP", "LINK", "LATENCY", "LOSS"]) {
    assert.match(table[0] ?? "", new RegExp(title));
  }
  assert.match(lines[11] ?? "", /not shown for want of width: .*VERSION/);
});

Deno.test("a node that has not joined and a plugin that failed are told", () => {
  const text = statusText(
    sampleStatus({
      certificate: null,
      self: { ...report.self, joined: false, meshAddresses: [] },
      plugins: [{ name: "socks", state: "failed", detail: "port taken" }],
    }),
    { width: 80 },
  );
  assert.match(text, /^network corp, mesh none yet$/m);
  assert.match(text, /^not joined, up 1h 2m, 0 peers \(0 linked\)/m);
  assert.match(text, /^error: plugin socks has failed: port taken$/m);
});
