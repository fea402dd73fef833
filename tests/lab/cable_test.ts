import assert from "node:assert/strict";
import { Cable } from "./cable.ts";
import { eventually } from "./wait.ts";

/** Echoes UDP, and says from which ports it came. */
class UdpEcho implements AsyncDisposable {
  readonly ports = new Set<number>();
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly port = (this.#socket.addr as Deno.NetAddr).port;
  readonly #done = this.#run();

  async #run(): Promise<void> {
    for await (const [data, from] of this.#socket) {
      this.ports.add((from as Deno.NetAddr).port);
      await this.#socket.send(data, from);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#done;
  }
}

/** One UDP peer that sends until it is answered. */
class UdpPeer implements AsyncDisposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #to: Deno.NetAddr;
  readonly #got = new Set<string>();
  readonly #done = this.#run();
  #sent = 0;

  constructor(port: number) {
    this.#to = { transport: "udp", hostname: "127.0.0.1", port };
  }

  async #run(): Promise<void> {
    for await (const [data] of this.#socket) this.#got.add(new TextDecoder().decode(data));
  }

  async send(): Promise<string> {
    const text = `datagram ${++this.#sent}`;
    await this.#socket.send(new TextEncoder().encode(text), this.#to);
    return text;
  }

  async roundTrip(): Promise<number> {
    const began = performance.now();
    const text = await this.send();
    await eventually(() => this.got(text), { what: `an echo of ${text}`, intervalMs: 2 });
    return performance.now() - began;
  }

  got(text: string): boolean {
    return this.#got.has(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#done;
  }
}

async function readAll(connection: Deno.TcpConn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(1000);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    text += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return text;
}

/** Answers each connection with what it sent, after the client has ended its half. */
class TcpEcho implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly port = (this.#listener.addr as Deno.NetAddr).port;
  readonly #tasks: Promise<void>[] = [];
  readonly #done = this.#run();

  async #run(): Promise<void> {
    for await (const connection of this.#listener) this.#tasks.push(this.#echo(connection));
  }

  async #echo(connection: Deno.TcpConn): Promise<void> {
    using _ = connection;
    try {
      await connection.write(new TextEncoder().encode(`echo of ${await readAll(connection)}`));
    } catch (error) {
      // A connection that is broken in the middle is what some of the tests are about.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
    await Promise.all(this.#tasks);
  }
}

async function ask(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  await connection.closeWrite();
  return await readAll(connection);
}

Deno.test("datagrams pass both ways, are counted, and each client keeps its own port", async () => {
  await using echo = new UdpEcho();
  await using cable = await Cable.create({ port: echo.port });
  await using a = new UdpPeer(cable.port);
  await using b = new UdpPeer(cable.port);
  await a.roundTrip();
  await b.roundTrip();
  await a.roundTrip();
  assert.equal(echo.ports.size, 2);
  const bytes = 3 * "datagram 1".length;
  assert.deepEqual(cable.bytes.udp, { toTarget: bytes, fromTarget: bytes });
  assert.deepEqual(cable.bytes.tcp, { toTarget: 0, fromTarget: 0 });
});

Deno.test("a large datagram passes whole", async () => {
  await using echo = new UdpEcho();
  await using cable = await Cable.create({ port: echo.port });
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  using _ = { [Symbol.dispose]: () => socket.close() };
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  await socket.send(sent, { transport: "udp", hostname: "127.0.0.1", port: cable.port });
  const [data] = await socket.receive(new Uint8Array(65_535));
  assert.deepEqual(data, sent);
});

Deno.test("a rebind shows the target another port and the client notices nothing", async () => {
  await using echo = new UdpEcho();
  await using cable = await Cable.create({ port: echo.port });
  await using peer = new UdpPeer(cable.port);
  await peer.roundTrip();
  cable.rebindUdp();
  await peer.roundTrip();
  assert.equal(echo.ports.size, 2);
});

Deno.test("blocked UDP vanishes while TCP passes", async () => {
  await using udp = new UdpEcho();
  await using cable = await Cable.create({ port: udp.port });
  await using peer = new UdpPeer(cable.port);
  cable.blockUdp = true;
  const lost = await peer.send();
  await eventually(() => cable.datagramsDropped === 1, { what: "the datagram is dropped" });
  cable.blockUdp = false;
  await peer.roundTrip();
  assert.equal(peer.got(lost), false);
  await using tcp = new TcpEcho();
  await using tcpCable = await Cable.create({ port: tcp.port });
  tcpCable.blockUdp = true;
  assert.equal(await ask(tcpCable.port, "x"), "echo of x");
});

Deno.test("TCP passes both ways with half-close, and is counted", async () => {
  await using echo = new TcpEcho();
  await using cable = await Cable.create({ port: echo.port });
  const answers = await Promise.all(["one", "two"].map((text) => ask(cable.port, text)));
  assert.deepEqual(answers, ["echo of one", "echo of two"]);
  assert.deepEqual(cable.bytes.tcp, { toTarget: 6, fromTarget: 22 });
});

Deno.test("TCP stands still while the cable is cut and goes on afterwards", async () => {
  await using echo = new TcpEcho();
  await using cable = await Cable.create({ port: echo.port });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: cable.port });
  await connection.write(new TextEncoder().encode("before"));
  await eventually(() => cable.bytes.tcp.toTarget === 6, { what: "the first bytes pass" });
  cable.cut = true;
  await connection.write(new TextEncoder().encode(", after"));
  await connection.closeWrite();
  const asked = ask(cable.port, "while cut");
  await using udp = new UdpPeer(cable.port);
  await udp.send();
  await eventually(() => cable.datagramsDropped === 1, { what: "the datagram is dropped" });
  assert.equal(cable.bytes.tcp.toTarget, 6);
  cable.cut = false;
  assert.equal(await readAll(connection), "echo of before, after");
  assert.equal(await asked, "echo of while cut");
});

Deno.test("a delay adds its time each way, for UDP and TCP", async () => {
  await using udp = new UdpEcho();
  await using udpCable = await Cable.create({ port: udp.port });
  await using peer = new UdpPeer(udpCable.port);
  udpCable.delayMs = 50;
  assert.ok(await peer.roundTrip() >= 99);
  await using tcp = new TcpEcho();
  await using tcpCable = await Cable.create({ port: tcp.port });
  tcpCable.delayMs = 50;
  const began = performance.now();
  assert.equal(await ask(tcpCable.port, "slow"), "echo of slow");
  assert.ok(performance.now() - began >= 99);
});

Deno.test("broken TCP connections end at both ends and new ones pass", async () => {
  await using echo = new TcpEcho();
  await using cable = await Cable.create({ port: echo.port });
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: cable.port });
  await connection.write(new TextEncoder().encode("x"));
  await eventually(() => cable.bytes.tcp.toTarget === 1, { what: "the byte passes" });
  cable.breakTcp();
  await readAll(connection).catch((error) =>
    assert.ok(error instanceof Deno.errors.ConnectionReset)
  );
  assert.equal(await ask(cable.port, "new"), "echo of new");
});

Deno.test("a target that does not listen costs the client its connection, not the cable", async () => {
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  await using cable = await Cable.create({ port });
  await ask(cable.port, "x").catch((error) => assert.ok(error instanceof Error));
  await using peer = new UdpPeer(cable.port);
  await peer.send();
  await peer.send();
  await eventually(() => cable.bytes.udp.toTarget + cable.datagramsDropped > 0, { what: "sent" });
});

Deno.test("a cable is closed with traffic, a delay and a cut under way", async () => {
  await using tcp = new TcpEcho();
  await using udp = new UdpPeer(1);
  for (const cut of [false, true]) {
    const cable = await Cable.create({ port: tcp.port });
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: cable.port });
    cable.delayMs = 60_000;
    await connection.write(new TextEncoder().encode("x"));
    cable.cut = cut;
    await udp.send();
    await cable[Symbol.asyncDispose]();
    await cable[Symbol.asyncDispose]();
  }
});
