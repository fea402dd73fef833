import assert from "node:assert/strict";
import { Lab, labTest, runOk } from "../../tests/lab/mod.ts";
import { Arena } from "../libc/arena.ts";
import { FfiError } from "../libc/errors.ts";
import { IoVector } from "../libc/io_vector.ts";
import { Libc, WOULD_BLOCK } from "../libc/libc.ts";
import { Poller, Ready } from "../libc/poller.ts";
import { inNamespace } from "../testing.ts";
import { Offload, Tun, VNET_HEADER } from "./tun.ts";

const needs = { namespaces: true, tun: true } as const;

labTest("an interface is there while it is open, with the offloads agreed on", needs, async () => {
  await using net = await Lab.create();
  const namespace = await net.node("a");
  using libc = Libc.open();
  {
    using tun = inNamespace(libc, namespace, () => Tun.open(libc, { name: "mesh%d" }));
    assert.equal(tun.name, "mesh0");
    const every = Offload.checksum | Offload.tcp4 | Offload.tcp6;
    assert.equal(tun.offloads & every, every);
    const [link] = JSON.parse(await net.exec("a", "ip", "-d", "-j", "link", "show", "mesh0"));
    const { type, pi, vnet_hdr, persist, multi_queue } = link.linkinfo.info_data;
    assert.deepEqual([type, pi, vnet_hdr, persist, multi_queue], [
      "tun",
      false,
      true,
      false,
      false,
    ]);
  }
  assert.equal((await net.run("a", ["ip", "link", "show", "mesh0"])).code, 1);
});

labTest(
  "what a thread has left behind is taken over by the next one, on request only",
  needs,
  async () => {
    await using net = await Lab.create();
    const namespace = await net.node("a");
    using libc = Libc.open();
    const open = (takeOver: boolean) =>
      inNamespace(libc, namespace, () => Tun.open(libc, { name: "mesh0", takeOver }));
    using left = open(true);
    assert.throws(() => open(false), /EBUSY/);
    const taken = open(true);
    assert.deepEqual([taken.fd, taken.name, taken.offloads], [left.fd, "mesh0", left.offloads]);
    // What another process has stays its own.
    await net.exec("a", "ip", "link", "add", "mesh2", "type", "veth", "peer", "name", "mesh1");
    const other = { name: "mesh2", takeOver: true };
    assert.throws(() => inNamespace(libc, namespace, () => Tun.open(libc, other)), FfiError);
  },
);

labTest("a packet from the kernel is read, and its answer goes back", needs, async () => {
  await using net = await Lab.create();
  const namespace = await net.node("a");
  using libc = Libc.open();
  using arena = new Arena(libc, 1 << 17);
  using tun = inNamespace(libc, namespace, () => Tun.open(libc, { name: "mesh0" }));
  await net.exec("a", "sysctl", "-qw", "net.ipv6.conf.mesh0.disable_ipv6=1");
  await net.exec("a", "ip", "address", "add", "10.1.0.1/24", "dev", "mesh0");
  await net.exec("a", "ip", "link", "set", "mesh0", "up");
  const vector = new IoVector(arena, 2);
  const at = arena.allocate(VNET_HEADER + 65_536);
  vector.set(0, at, VNET_HEADER);
  vector.set(1, at + VNET_HEADER, 65_536);
  assert.equal(tun.read(vector, 2), WOULD_BLOCK);

  const ping = net.run("a", ["ping", "-c", "1", "-W", "10", "10.1.0.2"]);
  const poller = new Poller(libc, arena, 1);
  poller.set(0, tun.fd, Ready.read);
  assert.equal(await poller.waitAsync(10_000), 1);
  const length = tun.read(vector, 2);
  const packet = arena.bytes.subarray(at + VNET_HEADER, at + length);
  assert.deepEqual([packet[0], packet[9], packet[20]], [0x45, 1, 8]); // IPv4, ICMP, echo request
  // The two addresses change places, which no checksum notices; the request becomes a reply (8 -> 0 in the high byte).
  const source = packet.slice(12, 16);
  packet.copyWithin(12, 16, 20);
  packet.set(source, 16);
  packet[20] = 0;
  const view = new DataView(packet.buffer, packet.byteOffset);
  const sum = view.getUint16(22) + 0x800;
  view.setUint16(22, (sum & 0xffff) + (sum >>> 16));
  vector.set(1, at + VNET_HEADER, packet.length);
  assert.equal(tun.write(vector, 2), length);
  assert.equal((await ping).code, 0);
});

labTest("several queues of one interface are opened one by one", needs, async () => {
  await using net = await Lab.create();
  const namespace = await net.node("a");
  using libc = Libc.open();
  const open = (multiQueue: boolean) =>
    inNamespace(libc, namespace, () => Tun.open(libc, { name: "mesh0", multiQueue }));
  using _first = open(true);
  using _second = open(true);
  const [link] = JSON.parse(await net.exec("a", "ip", "-d", "-j", "link", "show", "mesh0"));
  assert.deepEqual(
    [link.linkinfo.info_data.multi_queue, link.linkinfo.info_data.numqueues],
    [true, 2],
  );
  assert.throws(() => open(false), /ioctl\(TUNSETIFF\) failed with EINVAL .*of another kind/);
});

labTest(
  "an interface with several queues is made as a whole, is nobody else's, and is taken over as a whole",
  needs,
  async () => {
    await using net = await Lab.create();
    const namespace = await net.node("a");
    using libc = Libc.open();
    const open = (count: number, takeOver = false) =>
      inNamespace(libc, namespace, () => Tun.openQueues(libc, { name: "mesh0", takeOver }, count));
    const queues = open(3);
    const fds = queues.map(({ fd }) => fd);
    assert.deepEqual(queues.map(({ name }) => name), ["mesh0", "mesh0", "mesh0"]);
    assert.throws(() => open(3), /EBUSY.*another program has an interface of that name/);
    assert.throws(() => open(1), /EINVAL/);
    assert.deepEqual(open(3, true).map(({ fd }) => fd), fds);
    // One that is missing is opened anew.
    queues[1]![Symbol.dispose]();
    using stack = new DisposableStack();
    const again = open(3, true).map((queue) => stack.use(queue));
    assert.equal(new Set(again.map(({ fd }) => fd)).size, 3);
    const [link] = JSON.parse(await net.exec("a", "ip", "-d", "-j", "link", "show", "mesh0"));
    assert.equal(link.linkinfo.info_data.numqueues, 3);
  },
);

labTest("a name that is taken is told so", needs, async () => {
  await using net = await Lab.create();
  const namespace = await net.node("a");
  using libc = Libc.open();
  const open = (name: string) => inNamespace(libc, namespace, () => Tun.open(libc, { name }));
  using _tun = open("mesh0");
  assert.throws(
    () => open("mesh0"),
    /cannot make the interface mesh0: .*EBUSY.*another program has an interface of that name/,
  );
  assert.throws(() => open("lo"), /EINVAL.*of another kind/);
});

labTest("an offload the kernel does not know falls back to the next", needs, async () => {
  await using net = await Lab.create();
  const namespace = await net.node("a");
  using libc = Libc.open();
  const open = (name: string, offloads: number[]) =>
    inNamespace(libc, namespace, () => Tun.open(libc, { name, offloads }));
  using tun = open("mesh0", [0x4000_0000, 0x0f, 0]);
  assert.equal(tun.offloads, 0x0f);
  using plain = open("mesh1", [0]);
  assert.equal(plain.offloads, 0);
  assert.throws(() => open("mesh2", [0x4000_0000]), /ioctl\(TUNSETOFFLOAD\) failed with EINVAL/);
});

labTest("without CAP_NET_ADMIN the error is one line with what to do", {
  ...needs,
  commands: ["setpriv"],
}, async () => {
  const source = `
    import { Libc } from ${JSON.stringify(import.meta.resolve("../libc/libc.ts"))};
    import { Tun } from ${JSON.stringify(import.meta.resolve("./tun.ts"))};
    try { Tun.open(Libc.open(), { name: "mesh0" }); } catch (error) { console.log(error.message); }`;
  const bare = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"];
  const text = await runOk([...bare, Deno.execPath(), "eval", source]);
  assert.equal(
    text,
    "cannot make the interface mesh0: ioctl(TUNSETIFF) failed with EPERM (1); run as root or with CAP_NET_ADMIN\n",
  );
});

Deno.test("names that no interface can have are refused before the kernel is asked", () => {
  using libc = Libc.open();
  for (const name of ["", "a b", "a/b", "a:b", ".", "..", "sixteen-bytes-xx", "a\0b"]) {
    assert.throws(
      () => Tun.open(libc, { name }),
      (error) => error instanceof FfiError && error.code === "FFI_ARGUMENT",
      name,
    );
  }
});
