import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { contentHash, decodeContent, encodeContent } from "./content.ts";
import { GossipError } from "./errors.ts";
import { maxContentBytes, reportLimits } from "./limits.ts";
import { emptyReport } from "./testing.ts";
import type { SelfReport } from "./types.ts";

const author = "00".repeat(16);
const peer = (n: number) => n.toString(16).padStart(32, "0");
const fingerprint = "ab".repeat(32);

function refused(code: string) {
  return (error: unknown) => error instanceof GossipError && error.code === code;
}

const full: SelfReport = {
  addresses: ["relay.example.com:443", "192.0.2.1:8443", "[2001:db8::1]:8443"],
  version: "0.1.0-rc.1+build",
  capabilities: ["socks", "tun"],
  services: [{ name: "web", port: 80 }, { name: "ssh", port: 22 }],
  exitCidrs: ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"],
  links: [{ peer: peer(1), latencyMs: 12.5, loss: 0.01 }, {
    peer: peer(2),
    latencyMs: 0.5,
    loss: 0,
  }],
};

Deno.test("a report comes back as it was written, with the certificate's fingerprint and the hash of its bytes", () => {
  const written = encodeContent(full, fingerprint, author);
  const read = decodeContent(written.bytes, author);
  assert.deepEqual(read, written);
  assert.deepEqual(read.report, full);
  assert.equal(read.fingerprint, fingerprint);
  assert.deepEqual(read.hash, contentHash(written.bytes));
});

Deno.test("latency and loss are rounded to hundredths of a millisecond and tenths of a percent", () => {
  const links = [{ peer: peer(1), latencyMs: 12.3456, loss: 0.012345 }];
  const { report } = encodeContent({ ...full, links }, fingerprint, author);
  assert.deepEqual(report.links, [{ peer: peer(1), latencyMs: 12.35, loss: 0.012 }]);
});

Deno.test("a report at every one of its limits fits into the largest record", () => {
  const many = <T>(count: number, make: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => make(i));
  const digits = (i: number, length: number) => String(i).padStart(length, "0");
  const report: SelfReport = {
    addresses: many(reportLimits.addresses, (i) => `${digits(i, 253)}:65535`),
    version: "v".repeat(reportLimits.versionLength),
    capabilities: many(reportLimits.capabilities, (i) => digits(i, reportLimits.capabilityLength)),
    services: many(reportLimits.services, (i) => ({
      name: digits(i, reportLimits.serviceNameLength),
      port: 65_535,
    })),
    exitCidrs: many(
      reportLimits.exitCidrs,
      (i) => `1111:2222:3333:4444:5555:6666:7777:80${digits(i, 2)}/128`,
    ),
    links: many(reportLimits.links, (i) => ({ peer: peer(i + 1), latencyMs: 60_000, loss: 1 })),
  };
  const { bytes } = encodeContent(report, fingerprint, author);
  assert.ok(bytes.length <= maxContentBytes, `${bytes.length} bytes`);
});

const beyond: [string, Partial<SelfReport>][] = [
  ["nine addresses", { addresses: Array.from({ length: 9 }, (_, i) => `192.0.2.${i}:1`) }],
  ["an address without a host", { addresses: [":8443"] }],
  ["an address without a port", { addresses: ["192.0.2.1"] }],
  ["port 0", { addresses: ["192.0.2.1:0"] }],
  ["port 65536", { addresses: ["192.0.2.1:65536"] }],
  ["an address in brackets that is not IPv6", { addresses: ["[::1::]:80"] }],
  ["an address with a line break", { addresses: ["a\nb:80"] }],
  ["an address twice", { addresses: ["a:1", "a:1"] }],
  ["a version with an escape sequence", { version: "\x1b[2J" }],
  ["a long version", { version: "v".repeat(65) }],
  ["seventeen capabilities", { capabilities: Array.from({ length: 17 }, (_, i) => `c${i}`) }],
  ["a capability in capitals", { capabilities: ["SOCKS"] }],
  ["a long capability", { capabilities: ["c".repeat(33)] }],
  ["33 services", { services: Array.from({ length: 33 }, (_, i) => ({ name: `s${i}`, port: 1 })) }],
  ["a service on port 0", { services: [{ name: "web", port: 0 }] }],
  ["a service with a broken port", { services: [{ name: "web", port: 1.5 }] }],
  ["a service without a name", { services: [{ name: "", port: 1 }] }],
  ["a service twice", { services: [{ name: "a", port: 1 }, { name: "a", port: 2 }] }],
  ["33 CIDRs", { exitCidrs: Array.from({ length: 33 }, (_, i) => `10.0.${i}.0/24`) }],
  ["an IPv4 prefix of 33 bits", { exitCidrs: ["10.0.0.0/33"] }],
  ["an IPv6 prefix of 129 bits", { exitCidrs: ["::/129"] }],
  ["a CIDR without a prefix", { exitCidrs: ["10.0.0.0"] }],
  ["257 links", {
    links: Array.from({ length: 257 }, (_, i) => ({ peer: peer(i + 1), latencyMs: 1, loss: 0 })),
  }],
  ["a link to itself", { links: [{ peer: author, latencyMs: 1, loss: 0 }] }],
  ["a link twice", {
    links: [{ peer: peer(1), latencyMs: 1, loss: 0 }, { peer: peer(1), latencyMs: 2, loss: 0 }],
  }],
  ["a negative latency", { links: [{ peer: peer(1), latencyMs: -1, loss: 0 }] }],
  ["a latency of more than a minute", { links: [{ peer: peer(1), latencyMs: 60_001, loss: 0 }] }],
  ["a latency that is not a number", { links: [{ peer: peer(1), latencyMs: NaN, loss: 0 }] }],
  ["a loss of more than 1", { links: [{ peer: peer(1), latencyMs: 1, loss: 1.1 }] }],
  ["a peer that is not an id", { links: [{ peer: "abcd", latencyMs: 1, loss: 0 }] }],
];

for (const [what, part] of beyond) {
  Deno.test(`a report with ${what} is not published`, () => {
    const report = { ...emptyReport, ...part };
    assert.throws(
      () => encodeContent(report, fingerprint, author),
      refused("GOSSIP_REPORT_INVALID"),
    );
  });
}

Deno.test("content of another format, another shape or with bytes after it is refused", () => {
  const { bytes } = encodeContent(full, fingerprint, author);
  const bad = refused("GOSSIP_RECORD_MALFORMED");
  for (
    const input of [
      new Uint8Array(),
      encode([2]),
      encode([1]),
      encode({ 1: 2 }),
      encode("text"),
      encode([1, new Uint8Array(31), [], "", [], [], [], []]),
      new Uint8Array([...bytes, 0]),
      new Uint8Array(maxContentBytes + 1),
      new Uint8Array(maxContentBytes).fill(0x91),
      Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff),
    ]
  ) {
    assert.throws(() => decodeContent(input, author), bad);
  }
});

Deno.test("elements a newer version adds are passed over", () => {
  const input = encode([
    1,
    Uint8Array.fromHex(fingerprint),
    [],
    "9.9.9",
    [],
    [["a", 1, "tcp"]],
    [],
    [],
    "new",
  ]);
  assert.equal(decodeContent(input, author).report.version, "9.9.9");
});

Deno.test("content cut off anywhere is refused", () => {
  const { bytes } = encodeContent(full, fingerprint, author);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(
      () => decodeContent(bytes.subarray(0, length), author),
      refused("GOSSIP_RECORD_MALFORMED"),
    );
  }
});

Deno.test("whatever bytes come in, the parser refuses them with its own error or gives a report that could be published", () => {
  const { bytes } = encodeContent(full, fingerprint, author);
  const mutated = fc.tuple(
    fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  ).map(([changes]) => {
    const copy = bytes.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  });
  const anything = fc.anything({ maxDepth: 3, withTypedArray: true }).map((value) => {
    try {
      return encode(value);
    } catch {
      // Not everything has a MessagePack form.
      return new Uint8Array();
    }
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated, anything), (input) => {
      let content;
      try {
        content = decodeContent(input, author);
      } catch (error) {
        assert.ok(error instanceof GossipError);
        return;
      }
      assert.deepEqual(
        encodeContent(content.report, content.fingerprint, author).report,
        content.report,
      );
    }),
    { numRuns: 2_000 },
  );
});
