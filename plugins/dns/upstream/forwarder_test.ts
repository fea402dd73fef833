import assert from "node:assert/strict";
import { PulseError } from "../../../core/errors/mod.ts";
import { eventually, labTest } from "../../../tests/lab/mod.ts";
import { sampleSnapshot, startDns } from "../testing.ts";

/** A DNS server that answers every A question with `address`, as its manner says. */
class FakeUpstream implements AsyncDisposable {
  readonly #udp: Deno.DatagramConn;
  readonly #tcp: Deno.TcpListener;
  readonly #tasks: Promise<void>[];
  readonly asked: { id: number; name: string; port: number; tcp: boolean }[] = [];
  manner: "plain" | "silent" | "forge" | "lower" | "truncate" | "servfail" = "plain";

  constructor(readonly address: string) {
    this.#tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: this.port });
    this.#tasks = [this.#serveUdp(), this.#serveTcp()];
  }

  get port(): number {
    return this.#tcp.addr.port;
  }

  #answer(message: Uint8Array, port: number, tcp: boolean): Uint8Array<ArrayBuffer> {
    const end = message.indexOf(0, 12) + 5;
    const name = String.fromCharCode(...message.subarray(13, end - 5));
    this.asked.push({ id: message[0]! << 8 | message[1]!, name, port, tcp });
    const cut = this.manner === "truncate" && !tcp;
    const record = [
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      60,
      0,
      4,
      ...this.address.split(".").map(Number),
    ];
    const answers = this.manner === "servfail" || cut ? [] : record;
    const code = this.manner === "servfail" ? 2 : 0;
    const question = message.slice(12, end);
    if (this.manner === "lower") {
      question.forEach((octet, n) => {
        if (octet >= 0x41 && octet <= 0x5a) question[n] = octet | 0x20;
      });
    }
    return Uint8Array.of(
      ...[message[0]!, message[1]!, cut ? 0x83 : 0x81, 0x80 | code, 0, 1],
      ...[0, answers.length > 0 ? 1 : 0, 0, 0, 0, 0, ...question, ...answers],
    );
  }

  async #serveUdp(): Promise<void> {
    for await (const [message, from] of this.#udp) {
      const { hostname, port } = from as Deno.NetAddr;
      const good = this.#answer(message, port, false);
      if (this.manner === "silent") continue;
      const to = { transport: "udp" as const, hostname, port };
      if (this.manner === "forge") {
        const wrongId = good.slice();
        wrongId[0]! ^= 0xff;
        wrongId.set([6, 6, 6, 6], wrongId.length - 4);
        await this.#udp.send(wrongId, to);
      }
      await this.#udp.send(good, to);
    }
  }

  async #serveTcp(): Promise<void> {
    for await (const conn of this.#tcp) {
      const buffer = new Uint8Array(2_048);
      const length = await conn.read(buffer) ?? 0;
      const good = this.#answer(buffer.subarray(2, length), conn.remoteAddr.port, true);
      await conn.write(Uint8Array.of(good.length >> 8, good.length & 255, ...good));
      conn.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    await Promise.all(this.#tasks);
  }
}

const start = (...upstreams: FakeUpstream[]) =>
  startDns({
    upstream: upstreams.map(({ port }) => `127.0.0.1:${port}`),
    upstreamSource: ["0.0.0.0:0", "[::]:0"],
  });
const needs = { commands: ["dig"] };

labTest(
  "names outside the mesh are asked for once, from changing ports, ids and cases",
  needs,
  async () => {
    await using upstream = new FakeUpstream("192.0.2.1");
    await using dns = await start(upstream);
    for (let n = 0; n < 2; n++) {
      const out = await dns.dig("www.example.com");
      assert.match(out, /flags: qr rd ra;/);
      assert.match(out, /^www\.example\.com\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1$/m);
    }
    assert.equal(upstream.asked.length, 1);
    for (let n = 0; n < 8; n++) await dns.dig(`host${n}.example.com`);
    const distinct = (values: readonly unknown[]) => new Set(values).size;
    assert.ok(distinct(upstream.asked.map(({ id }) => id)) >= 8);
    assert.ok(distinct(upstream.asked.map(({ port }) => port)) >= 7);
    assert.ok(upstream.asked.some(({ name }) => name !== name.toLowerCase()));
  },
);

labTest("the mesh's own names and addresses are nobody else's business", needs, async () => {
  await using upstream = new FakeUpstream("192.0.2.1");
  await using dns = await start(upstream);
  assert.match(await dns.dig("nobody.pulse"), /NXDOMAIN/);
  assert.match(await dns.dig("-x", "10.100.200.200"), /NXDOMAIN/);
  assert.match(await dns.dig("+norecurse", "example.com"), /REFUSED/);
  assert.deepEqual(upstream.asked, []);
});

labTest(
  "an alias that leads out of the mesh comes with its addresses, and names outside need no mesh",
  needs,
  async () => {
    await using upstream = new FakeUpstream("192.0.2.1");
    const aliases = ["shop", "news"].map((name) => ({
      name,
      type: "CNAME" as const,
      value: "www.example.com",
      ttl: 60,
    }));
    await using dns = await startDns({
      upstream: [`127.0.0.1:${upstream.port}`],
      upstreamSource: ["0.0.0.0:0"],
    }, sampleSnapshot(aliases));
    const good = dns.mesh;
    dns.mesh = () => Promise.reject(new PulseError("NODE_NOT_JOINED", "not yet"));
    assert.equal(await dns.dig("+short", "relay.example"), "192.0.2.1\n");
    assert.match(await dns.dig("db.pulse"), /SERVFAIL/);
    assert.match(await dns.dig("-x", "10.100.3.4"), /SERVFAIL/);
    dns.mesh = good;
    await eventually(async () => /NOERROR/.test(await dns.dig("db.pulse")), { what: "the mesh" });
    for (const name of ["shop.pulse", "news.pulse"]) {
      assert.equal(await dns.dig("+short", name), "www.example.com.\n192.0.2.1\n");
    }
    assert.equal(await dns.dig("+short", "+norecurse", "shop.pulse"), "www.example.com.\n");
    assert.equal(upstream.asked.length, 2);
    upstream.manner = "servfail";
    assert.match(await dns.dig("shop.pulse", "AAAA"), /SERVFAIL/);
  },
);

labTest(
  "a forged answer is passed over; one cut off or in other letters is fetched over TCP",
  needs,
  async () => {
    await using upstream = new FakeUpstream("192.0.2.1");
    await using dns = await start(upstream);
    upstream.manner = "forge";
    assert.equal(await dns.dig("+short", "forged.example"), "192.0.2.1\n");
    for (const manner of ["truncate", "lower"] as const) {
      upstream.manner = manner;
      assert.equal(await dns.dig("+short", `${manner}.many-letters.example`), "192.0.2.1\n");
      assert.equal(upstream.asked.at(-1)?.tcp, true, manner);
    }
  },
);

labTest(
  "when one upstream is silent or fails the next one is asked, and then first",
  needs,
  async () => {
    await using first = new FakeUpstream("192.0.2.1");
    await using second = new FakeUpstream("192.0.2.2");
    await using dns = await start(first, second);
    first.manner = "servfail";
    assert.equal(await dns.dig("+short", "a.example"), "192.0.2.2\n");
    first.manner = "silent";
    assert.equal(await dns.dig("+short", "b.example"), "192.0.2.2\n");
    assert.equal(first.asked.length, 1);
    second.manner = "servfail";
    assert.match(await dns.dig("c.example"), /SERVFAIL/);
  },
);
