import assert from "node:assert/strict";
import { run, runOk } from "./command.ts";
import { Lab } from "./namespaces.ts";
import { isRunning } from "./processes.ts";
import { labTest } from "./requires.ts";
import { eventually } from "./wait.ts";

const needs = { namespaces: true, commands: ["ping", "sysctl"] } as const;

async function reaches(net: Lab, from: string, address: string): Promise<boolean> {
  return (await net.run(from, ["ping", "-c", "1", "-W", "1", address])).code === 0;
}

/** Whether a datagram sent in one node arrives in the other. */
async function udpArrives(net: Lab, from: string, to: string, address: string): Promise<boolean> {
  const receive = `const s = Deno.listenDatagram({ transport: "udp", hostname: "::", port: 4000 });
    console.log("ready"); await s.receive(); console.log("got it"); Deno.exit(0);`;
  const send = `const s = Deno.listenDatagram({ transport: "udp", hostname: "::", port: 0 });
    for (let i = 0; i < 8; i++) {
      await s.send(new Uint8Array(1), { transport: "udp", hostname: Deno.args[0], port: 4000 });
      await new Promise((r) => setTimeout(r, 50));
    }
    s.close();`;
  const deno = [Deno.execPath(), "eval", "--unstable-net"];
  const receiver = net.spawn(to, [...deno, receive], { stdout: "piped", stderr: "inherit" });
  let text = "";
  const reading = (async () => {
    for await (const chunk of receiver.stdout) text += new TextDecoder().decode(chunk);
  })();
  await eventually(() => text.includes("ready"), { what: "the receiver listens" });
  const hostname = address.includes(":") ? address : `::ffff:${address}`;
  await net.exec(from, ...deno, send, hostname);
  if (!text.includes("got it")) receiver.kill("SIGKILL");
  await receiver.status;
  await reading;
  return text.includes("got it");
}

labTest("two linked nodes reach each other by IPv4 and IPv6", needs, async () => {
  await using net = await Lab.create();
  await net.node("a");
  await net.node("b");
  const link = await net.link("a", "b", { subnet: "10.9.3.0/24" });
  assert.equal(link.ipv4("b"), "10.9.3.2");
  assert.equal(await reaches(net, "a", link.ipv4("b")), true);
  assert.equal(await reaches(net, "b", link.ipv6("a")), true);
  assert.equal(await reaches(net, "a", "127.0.0.1"), true);
});

labTest("all nodes on a bridge reach each other, and nobody beyond", needs, async () => {
  await using net = await Lab.create();
  for (const name of ["a", "b", "c", "other"]) await net.node(name);
  const lan = await net.bridge("lan", ["a", "b", "c"]);
  const elsewhere = await net.link("other", "c");
  assert.equal(await reaches(net, "a", lan.ipv4("c")), true);
  assert.equal(await reaches(net, "c", lan.ipv6("b")), true);
  assert.equal(await reaches(net, "a", elsewhere.ipv4("other")), false);
});

labTest("a cut link is dead until it is healed, for both families", needs, async () => {
  await using net = await Lab.create();
  await net.node("a");
  await net.node("b");
  const link = await net.link("a", "b");
  await link.cut("b");
  assert.equal(await reaches(net, "a", link.ipv4("b")), false);
  await link.heal("b");
  for (const address of [link.ipv4("b"), link.ipv6("b")]) {
    await eventually(() => reaches(net, "a", address), { what: `a reaches ${address} again` });
  }
});

labTest("a black hole swallows everything until it is closed", needs, async () => {
  await using net = await Lab.create();
  await net.node("a");
  await net.node("b");
  const link = await net.link("a", "b");
  await link.blackhole("b");
  assert.equal(await reaches(net, "a", link.ipv4("b")), false);
  await link.unblackhole("b");
  assert.equal(await reaches(net, "a", link.ipv4("b")), true);
});

labTest("blocked UDP is lost in silence, ping passes, unblocked UDP arrives", needs, async () => {
  await using net = await Lab.create();
  await net.node("a");
  await net.node("b");
  const link = await net.link("a", "b");
  await net.blockUdp("a", "b");
  assert.equal(await udpArrives(net, "a", "b", link.ipv4("b")), false);
  assert.equal(await udpArrives(net, "b", "a", link.ipv6("a")), false);
  assert.equal(await reaches(net, "a", link.ipv4("b")), true);
  await net.unblockUdp("a", "b");
  assert.equal(await udpArrives(net, "a", "b", link.ipv4("b")), true);
  assert.equal(await udpArrives(net, "b", "a", link.ipv6("a")), true);
});

labTest("a failing command fails with what it wrote", needs, async () => {
  await using net = await Lab.create();
  await net.node("a");
  await assert.rejects(net.exec("a", "ip", "link", "show", "nothing"), /nothing.*does not exist/s);
  await assert.rejects(net.exec("b", "true"), /no node b/);
});

labTest(
  "nothing is left of a lab, also after a failure with processes running",
  needs,
  async () => {
    let namespace = "";
    let pid = 0;
    await assert.rejects(async () => {
      await using net = await Lab.create();
      namespace = await net.node("a");
      const child = net.spawn("a", ["sleep", "600"], { stdout: "null", stderr: "null" });
      pid = child.pid;
      child.ref();
      throw new Error("the test fails here");
    }, /the test fails here/);
    assert.equal(isRunning(pid), false);
    assert.equal((await runOk(["ip", "netns", "list"])).includes(namespace), false);
  },
);

labTest(
  "what a dead test process has left is removed, what a living one has is not",
  needs,
  async () => {
    const dead = new Deno.Command("true").spawn();
    await dead.status;
    // A prefix of its own, or the test that runs beside this one tidies up before it.
    const prefix = `labtest${crypto.randomUUID().slice(0, 8)}`;
    const stale = `${prefix}-${dead.pid}-00000000-a`;
    const foreign = `${prefix}-1-00000000-a`;
    await runOk(["ip", "netns", "add", stale]);
    await runOk(["ip", "netns", "add", foreign]);
    const left = new Deno.Command("ip", {
      args: ["netns", "exec", stale, "sleep", "600"],
    }).spawn();
    try {
      const pids = () => runOk(["ip", "netns", "pids", stale]);
      await eventually(pids, { what: "the process is inside" });
      await using net = await Lab.create(prefix);
      const names = await runOk(["ip", "netns", "list"]);
      assert.equal(names.includes(stale), false);
      assert.equal(names.includes(foreign), true);
      assert.equal((await left.status).success, false);
      await net.node("a");
    } finally {
      await run(["ip", "netns", "delete", stale]);
      await run(["ip", "netns", "delete", foreign]);
    }
  },
);
