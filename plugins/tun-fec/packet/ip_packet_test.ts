import assert from "node:assert/strict";
import fc from "fast-check";
import { IpPacket, ipProtocol, parseProblem } from "./ip_packet.ts";
import { addressBytes, makePacket, type PacketFields } from "./testing.ts";

function parse(bytes: Uint8Array, length = bytes.length) {
  const packet = new IpPacket();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { packet, problem: packet.parse(view, 0, length) };
}

function addressText(words: Uint32Array, version: number): string {
  const bytes = Array.from(words).flatMap((word) => [
    word >>> 24,
    word >>> 16 & 255,
    word >>> 8 & 255,
    word & 255,
  ]);
  return (version === 4 ? bytes.slice(12) : bytes).join(".");
}

const port = fc.nat(0xffff);
const v4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((a) => a.join("."));
const v6 = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }).map((words) =>
  words.map((word) => word.toString(16)).join(":")
);
const fields = fc.constantFrom(v4, v6).chain((address) =>
  fc.record({
    source: address,
    destination: address,
    protocol: fc.constantFrom("tcp" as const, "udp" as const, "icmp" as const),
    sourcePort: port,
    destinationPort: port,
    tcpFlags: fc.nat(255),
    trafficClass: fc.nat(255),
    payload: fc.uint8Array({ maxLength: 64 }),
    moreFragments: fc.boolean(),
    fragmentOffset: fc.constantFrom(0, 0, 8, 1480),
  })
);

Deno.test("what a packet says is read as it was written, in both families", () => {
  fc.assert(fc.property(fields, (given: PacketFields) => {
    const bytes = makePacket(given);
    const { packet, problem } = parse(bytes);
    assert.equal(problem, parseProblem.none);
    const six = given.source.includes(":");
    assert.equal(packet.version, six ? 6 : 4);
    assert.equal(packet.totalLength, bytes.length);
    assert.equal(addressText(packet.source, packet.version), addressBytes(given.source).join("."));
    assert.equal(
      addressText(packet.destination, packet.version),
      addressBytes(given.destination).join("."),
    );
    const number = { tcp: 6, udp: 17, icmp: six ? 58 : 1 }[given.protocol as "tcp"];
    assert.equal(packet.protocol, number);
    assert.equal(packet.trafficClass, given.trafficClass);
    assert.equal(packet.fragmentOffset, given.fragmentOffset);
    assert.equal(packet.fragment, given.fragmentOffset !== 0 || given.moreFragments === true);
    const whole = given.fragmentOffset === 0;
    const ports = !whole
      ? [0, 0]
      : given.protocol === "icmp"
      ? [given.sourcePort, given.sourcePort]
      : [given.sourcePort, given.destinationPort];
    assert.deepEqual([packet.sourcePort, packet.destinationPort], ports);
    assert.equal(packet.tcpFlags, whole && given.protocol === "tcp" ? given.tcpFlags : 0);
  }));
});

Deno.test("IPv6 extension headers are walked, a routing header with segments left is not carried", () => {
  const plain = makePacket({
    source: "fd00::1",
    destination: "fd00::2",
    protocol: "udp",
    sourcePort: 5,
  });
  const within = (...headers: number[][]) => {
    const extra = headers.flat();
    const bytes = new Uint8Array(plain.length + extra.length);
    bytes.set(plain.subarray(0, 40));
    bytes.set(extra, 40);
    bytes.set(plain.subarray(40), 40 + extra.length);
    bytes[5] = plain.length - 40 + extra.length;
    return bytes;
  };
  const options = within([60, 0, 1, 4, 0, 0, 0, 0], [17, 1, ...new Array<number>(14).fill(0)]);
  options[6] = 0;
  const { packet, problem } = parse(options);
  assert.deepEqual([problem, packet.protocol, packet.headerLength], [0, ipProtocol.udp, 64]);
  assert.equal(packet.sourcePort, 5);

  const routing = within([17, 0, 0, 1, 0, 0, 0, 0]);
  routing[6] = 43;
  assert.equal(parse(routing).problem, parseProblem.extension);
  const endless = within(...new Array<number[]>(9).fill([60, 0, 1, 4, 0, 0, 0, 0]));
  endless[6] = 60;
  assert.equal(parse(endless).problem, parseProblem.extension);
});

Deno.test("fragments that cannot be put together to a packet, or move its transport header, are refused", () => {
  const six = (...headers: number[][]) => {
    const rest = headers.flat();
    const bytes = makePacket({ source: "fd00::1", destination: "fd00::2", protocol: 59 });
    const whole = Uint8Array.of(...bytes, ...rest, ...new Array<number>(24).fill(0));
    whole[5] = whole.length - 40;
    whole[6] = 44;
    return parse(whole).problem;
  };
  const part = (next: number, word: number) => [next, 0, word >> 8, word & 255, 0, 0, 0, 7];
  const options = [17, 0, 1, 4, 0, 0, 0, 0];
  assert.equal(six(part(17, 1)), parseProblem.none);
  assert.equal(six(part(60, 1), options), parseProblem.extension);
  assert.equal(six(part(60, 0), options), parseProblem.none);
  assert.equal(six(part(44, 0), part(17, 1)), parseProblem.extension);
  assert.equal(six(part(17, 65_504)), parseProblem.none);
  assert.equal(six(part(17, 65_512)), parseProblem.length);

  const four = (fragmentOffset: number) => {
    const payload = new Uint8Array(16);
    const fields = { source: "10.0.0.1", destination: "10.0.0.2", protocol: "udp" } as const;
    return parse(makePacket({ ...fields, payload, fragmentOffset })).problem;
  };
  assert.equal(four(65_496), parseProblem.none);
  assert.equal(four(65_504), parseProblem.length);
});

Deno.test("headers that do not fit the packet are told apart", () => {
  const tcp = makePacket({ source: "10.0.0.1", destination: "10.0.0.2", protocol: "tcp" });
  const with_ = (at: number, value: number) => {
    const bytes = tcp.slice();
    bytes[at] = value;
    return bytes;
  };
  assert.equal(parse(tcp.slice(0, 19)).problem, parseProblem.short);
  assert.equal(parse(with_(0, 0x55)).problem, parseProblem.version);
  assert.equal(parse(with_(0, 0x44)).problem, parseProblem.header);
  assert.equal(parse(with_(0, 0x4f)).problem, parseProblem.header);
  assert.equal(parse(with_(3, 200)).problem, parseProblem.length);
  assert.equal(parse(with_(32, 0x40)).problem, parseProblem.transport);
  assert.equal(parse(with_(32, 0xf0)).problem, parseProblem.transport);
  assert.equal(parse(with_(9, 58)).problem, parseProblem.transport);
});

Deno.test("no bytes make the parser throw or read beyond what it was given", () => {
  const first = fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x50);
  fc.assert(
    fc.property(first, fc.uint8Array({ maxLength: 120 }), (byte, rest) => {
      // The view ends with the packet: reading on would throw.
      const bytes = Uint8Array.of(byte, ...rest);
      const { packet, problem } = parse(bytes);
      if (problem === parseProblem.none) {
        assert.ok(packet.totalLength <= bytes.length && packet.headerLength <= packet.totalLength);
      }
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("an IPv6 packet with the address of an IPv4 host is none", () => {
  for (const fields of [["::ffff:10.0.0.1", "fd00::2"], ["fd00::1", "::ffff:10.0.0.1"]] as const) {
    const bytes = makePacket({ source: "fd00::1", destination: "fd00::2", protocol: "udp" });
    for (const [i, text] of fields.entries()) {
      if (!text.startsWith("::ffff")) continue;
      bytes.fill(0, 8 + i * 16, 18 + i * 16);
      bytes.set([0xff, 0xff, 10, 0, 0, 1], 18 + i * 16);
    }
    const problem = new IpPacket().parse(new DataView(bytes.buffer), 0, bytes.length);
    assert.equal(problem, parseProblem.header);
  }
});
