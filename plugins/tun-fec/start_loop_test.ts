import assert from "node:assert/strict";
import { Arena } from "../../ffi/libc/arena.ts";
import { IoVector } from "../../ffi/libc/io_vector.ts";
import { Libc } from "../../ffi/libc/libc.ts";
import { inNamespace } from "../../ffi/testing.ts";
import { Tun } from "../../ffi/tun/tun.ts";
import { eventually, Lab, labTest } from "../../tests/lab/mod.ts";
import type { LoopEvent, LoopTables, PeerTable } from "./loop/types.ts";
import { NativeLoop, type StartLoopOptions } from "./start_loop.ts";

const pipe = new URL("./native/pipe_worker_testing.ts", import.meta.url);
const needs = { namespaces: true, tun: true, commands: ["ping"] } as const;
const noRules = { rules: [], otherwise: true };

/** Keys by direction: what one end seals with the other one opens. */
const key = (byte: number) => ({
  epoch: 1,
  receiver: 7,
  cipher: byte % 2 === 0 ? "aes-256-gcm" as const : "chacha20-poly1305" as const,
  key: new Uint8Array(32).fill(byte),
});

function tables(endpoint: string): LoopTables {
  const peer: PeerTable = {
    id: "",
    index: 1,
    addresses: [],
    behind: [],
    inbound: noRules,
    outbound: noRules,
    paths: [{ endpoint, via: "", label: 0, weight: 1 }],
    fec: false,
  };
  return { version: 1, self: { addresses: [], behind: [] }, peers: [peer], labels: [] };
}

/** One end: an interface in a node of the lab, and a loop. */
class End implements AsyncDisposable {
  readonly loop: NativeLoop;
  readonly #tun: Tun;
  readonly #events: LoopEvent[] = [];
  #waiting: (() => void) | undefined;

  constructor(libc: Libc, namespace: string, options: Partial<StartLoopOptions> = {}) {
    // No offloads: packets are as large as the MTU at most.
    const open = () => Tun.open(libc, { name: "pipe", offloads: [0] });
    const tun = this.#tun = inNamespace(libc, namespace, open);
    const heard = (event: LoopEvent) => {
      this.#events.push(event);
      this.#waiting?.();
    };
    const device = { name: tun.name, queues: [tun] };
    const all = { libc, tun: device, quic: null, share: false, heard, entry: pipe, ...options };
    this.loop = inNamespace(libc, namespace, () => new NativeLoop(all));
  }

  /** The next thing the loop says. */
  async next(): Promise<LoopEvent> {
    while (this.#events.length === 0) {
      await new Promise<void>((resolve) => this.#waiting = resolve);
    }
    return this.#events.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.loop[Symbol.asyncDispose]();
    this.#tun[Symbol.dispose]();
  }
}

labTest("packets go through two loops, each blocking in a Worker of its own", needs, async () => {
  await using lab = await Lab.create();
  const [ofA, ofB] = [await lab.node("a"), await lab.node("b")];
  const cable = await lab.link("a", "b");
  using libc = Libc.open();
  await using a = new End(libc, ofA);
  await using b = new End(libc, ofB);
  assert.deepEqual([await a.next(), await b.next()], [{ say: "ready" }, { say: "ready" }]);
  for (const [node, address] of [["a", "10.66.0.1/24"], ["b", "10.66.0.2/24"]] as const) {
    await lab.exec(node, "ip", "address", "add", address, "dev", "pipe");
    await lab.exec(node, "ip", "link", "set", "pipe", "mtu", "1400", "up");
  }
  const endpoint = (node: string, { loop: { port } }: End) => `${cable.ipv4(node)}:${port}`;
  const [atA, atB] = [endpoint("a", a), endpoint("b", b)];
  a.loop.tell(
    { do: "tables", tables: tables(atB) },
    { do: "receive", peer: 1, key: key(1) },
    { do: "seal", peer: 1, key: key(2) },
  );
  b.loop.tell(
    { do: "tables", tables: tables(atA) },
    { do: "receive", peer: 1, key: key(2) },
    { do: "seal", peer: 1, key: key(1) },
  );
  await lab.exec("a", "ping", "-c5", "-i0.05", "-w20", "-s1300", "10.66.0.2");
  // Where the other end is, and ECT(0) as it was sent.
  assert.deepEqual(await a.next(), { say: "roamed", peer: 2, endpoint: atB });
  assert.deepEqual(await b.next(), { say: "roamed", peer: 2, endpoint: atA });
});

labTest("a loop that fails says why, and can be stopped", needs, async () => {
  await using lab = await Lab.create();
  const namespace = await lab.node("a");
  using libc = Libc.open();
  await using end = new End(libc, namespace);
  assert.deepEqual(await end.next(), { say: "ready" });
  end.loop.tell({ do: "silence", peer: 1 });
  assert.deepEqual(await end.next(), { say: "failed", error: "told to fail" });
});

labTest("without a QUIC port to share the data port is one of its own", needs, async () => {
  await using lab = await Lab.create();
  const namespace = await lab.node("a");
  using libc = Libc.open();
  const quic = { address: "127.0.0.1", port: 4433 };
  await using end = new End(libc, namespace, { quic, share: true });
  assert.notEqual(end.loop.port, 0);
  assert.match(end.loop.unshared?.message ?? "", /no UDP socket on 127\.0\.0\.1 port 4433/);
  assert.deepEqual(await end.next(), { say: "ready" });
});

labTest("the data port is QUIC's own where QUIC is bound in this process", needs, async () => {
  await using lab = await Lab.create();
  const namespace = await lab.node("a");
  using libc = Libc.open();
  const endpoint = inNamespace(
    libc,
    namespace,
    () => new Deno.QuicEndpoint({ hostname: "0.0.0.0", port: 4433 }),
  );
  await using stack = new AsyncDisposableStack();
  stack.defer(() => endpoint.close());
  const quic = { address: "0.0.0.0", port: 4433 };
  await using end = new End(libc, namespace, { quic, share: true });
  assert.deepEqual([end.loop.port, end.loop.unshared], [0, undefined]);
  assert.deepEqual(await end.next(), { say: "ready" });
});

Deno.test("a Worker that cannot be loaded is a loop that failed", async () => {
  using libc = Libc.open();
  const said = Promise.withResolvers<LoopEvent>();
  await using _loop = new NativeLoop({
    libc,
    tun: { name: "none", queues: [{ fd: -1 }] },
    quic: null,
    share: false,
    heard: said.resolve,
    entry: new URL("data:text/javascript,throw new Error('no loop here')"),
  });
  const event = await said.promise;
  assert.ok(event.say === "failed");
  assert.match(event.error, /no loop here/);
});

labTest(
  "when the control part dies, the loop ends and the next one gets the interface",
  needs,
  async () => {
    await using lab = await Lab.create();
    const namespace = await lab.node("a");
    const owner = new Worker(new URL("./native/crashing_owner_testing.ts", import.meta.url), {
      type: "module",
    });
    const crashed = Promise.withResolvers<void>();
    owner.onerror = (event) => {
      event.preventDefault();
      crashed.resolve();
    };
    await new Promise((resolve) => {
      owner.onmessage = resolve;
      owner.postMessage(namespace);
    });
    owner.postMessage("die");
    await crashed.promise;
    owner.terminate();
    using libc = Libc.open();
    const open = (takeOver: boolean) =>
      inNamespace(libc, namespace, () => Tun.open(libc, { name: "mesh0", takeOver }));
    assert.throws(() => open(false), /EBUSY/);
    using tun = open(true);
    using arena = new Arena(libc, 1 << 16);
    const vector = new IoVector(arena, 1);
    vector.set(0, arena.allocate(1 << 15), 1 << 15);
    await lab.exec("a", "ip", "address", "add", "10.66.0.1/24", "dev", "mesh0");
    await lab.exec("a", "ip", "link", "set", "mesh0", "up");
    // As long as the loop lives it takes what programs send before anybody else does.
    await eventually(async () => {
      await lab.run("a", ["ping", "-c1", "-W1", "10.66.0.2"]);
      return tun.read(vector, 1) > 0;
    }, { what: "the loop has ended by itself", timeoutMs: 90_000 });
  },
);
