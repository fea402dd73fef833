import assert from "node:assert/strict";
import { formatHostPort, parseHostPort } from "../../core/address/mod.ts";
import { labTest } from "../lab/mod.ts";
import type { ServiceInfo } from "./fixtures/service.ts";
import { masterToken, type Star, withStar } from "./fixtures/star.ts";
import { tunnelVerdict } from "./fixtures/tunnel_verdict.ts";
import type { SystemMesh } from "./system_mesh.ts";
import type { Talk } from "./talk.ts";

const iperfPort = 5201;
/** What the rules may take to end what they deny. */
const cutMs = 1_000;
const socksOf = (port: number) => ["--socks5-hostname", `127.0.0.1:${port}`];

/** Dev and prod, tagged so, around a relay that is CA and scribe and that both may reach. */
async function startThree(star: Star): Promise<void> {
  const { mesh } = star;
  const socks = ["--socks", "--socks-listen", "127.0.0.1:0"];
  await mesh.start(
    "relay",
    ...["--ca", "--scribe", "--token", masterToken, "--allow-local", "all", "--socks"],
  );
  await star.isScribe("relay");
  await star.startThroughRelay("dev", masterToken, ...socks, "--allow-local", "all");
  await star.startThroughRelay("prod", masterToken, "--allow-local", "all");
  for (const name of ["dev", "prod"]) {
    await mesh.ok("relay", "name", mesh.id(name), name);
    await mesh.ok("relay", "tag", name, name);
  }
  await mesh.path("dev", "relay", "prod");
  await mesh.path("prod", "relay", "dev");
}

/** Waits until the rules of the scribe's version hold at a node. */
async function rulesAt(mesh: SystemMesh, name: string): Promise<void> {
  const wanted = (await mesh.node("relay").status()).config?.version;
  await mesh.node(name).eventually(
    `${name} has the rules`,
    async () => (await mesh.node(name).status()).config?.version === wanted,
  );
}

/** Reads what iperf3 prints every tenth of a second, until it has moved bytes in so many of them. */
async function flows(iperf: Talk, intervals: number): Promise<void> {
  for (let moved = 0; moved < intervals;) {
    const line = await iperf.line();
    if (/ [1-9][0-9.]* [KM]Bytes .*bits\/sec/.test(line)) moved++;
  }
}

/** Where dev might get at prod's service when it may not: none of it leads there. */
async function assertNoWayRound(star: Star, service: ServiceInfo): Promise<void> {
  const { mesh } = star;
  const port = service.http;
  const { meshAddresses } = (await mesh.node("prod").status()).self;
  assert.equal(meshAddresses.length, 2);
  const verdict = async (to: string, target: string) =>
    await tunnelVerdict(mesh, "dev", to, target);
  assert.equal(await verdict("prod", `127.0.0.1:${port}`), "STREAM_DENIED");
  for (const address of meshAddresses) {
    const target = formatHostPort({ host: address, port });
    assert.equal(await verdict("prod", target), "STREAM_DENIED");
    // The relay, which dev may reach, as the exit to it.
    assert.equal(await verdict("relay", target), "STREAM_DENIED");
  }
  const hosts = [mesh.id("prod"), "prod", `localhost.${mesh.id("prod")}`, `prod.relay`].map(
    (host) => `${host}.pulse`,
  );
  const direct = socksOf(mesh.socksPort("dev"));
  for (const host of [...hosts, ...meshAddresses.map((a) => a.includes(":") ? `[${a}]` : a)]) {
    const { code, bytes } = await mesh.curl("dev", ...direct, `http://${host}:${port}/heard`);
    assert.deepEqual([code, bytes], [97, 0], host);
  }
  // The relay's own SOCKS would ask in the relay's name.
  const { addresses } = (await mesh.node("relay").status()).self;
  for (const address of ["127.0.0.1:8443", ...addresses]) {
    const { host } = parseHostPort(address);
    assert.equal(
      await verdict("relay", formatHostPort({ host, port: 1080 })),
      "STREAM_DENIED",
      host,
    );
  }
}

labTest(
  "a rule against tag:dev -> tag:prod cuts a running iperf3 within 1 s, has no way round through the relay both may reach, and spares the way back",
  { namespaces: true, commands: ["iperf3", "curl"] },
  () =>
    withStar(["dev", "prod"], async (star) => {
      const { mesh } = star;
      await startThree(star);
      const service = await mesh.service("prod", 1);
      const [atDev, atRelay] = [await mesh.service("dev", 1), await mesh.service("relay", 1)];
      const target = `127.0.0.1:${service.echo}`;
      assert.equal(await tunnelVerdict(mesh, "dev", "prod", target), "ok");

      const server = star.program("prod", "iperf3", "-s", "-p", `${iperfPort}`, "--forceflush");
      await server.line();
      await using forward = mesh.talk(
        "dev",
        ...["forward", "--node", "prod", "--dest", `127.0.0.1:${iperfPort}`],
        ...["--local", `127.0.0.1:${iperfPort}`, "--json"],
      );
      await forward.line();
      // Slow enough that the machine has time for everything else.
      const load = ["-t", "300", "-i", "0.1", "-b", "20M", "--forceflush"];
      const iperf = star.program("dev", "iperf3", "-c", "127.0.0.1", ...load);
      await flows(iperf, 3);
      await using back = mesh.talk("prod", "connect", "dev", `127.0.0.1:${atDev.echo}`);
      await back.write("before");
      await back.read(6);

      await mesh.ok("relay", "acl", "add", "--from", "*", "--to", "*");
      await flows(iperf, 2);
      const ended = iperf.ended().then((end) => ({ ...end, at: performance.now() }));
      await mesh.ok("relay", ...["acl", "add", "--at", "0", "--deny"], ...devToProd);
      const answered = performance.now();
      const { code, at } = await ended;
      assert.notEqual(code, 0);
      console.log(`iperf3 ended ${Math.round(at - answered)} ms after the rule's answer`);
      assert.ok(at - answered < cutMs, `cut after ${Math.round(at - answered)} ms`);

      for (const name of ["dev", "prod"]) await rulesAt(mesh, name);
      await assertNoWayRound(star, service);
      assert.equal(await tunnelVerdict(mesh, "dev", "relay", `127.0.0.1:${atRelay.echo}`), "ok");
      assert.equal(await tunnelVerdict(mesh, "prod", "dev", `127.0.0.1:${atDev.echo}`), "ok");
      await back.write("after");
      await back.read(5);

      // The other way about: what is denied is the direction, not the pair.
      await mesh.ok("relay", "acl", "remove", "0");
      await mesh.ok("relay", ...["acl", "add", "--at", "0", "--deny"], ...prodToDev);
      for (const name of ["dev", "prod"]) await rulesAt(mesh, name);
      assert.notEqual((await back.ended()).code, 0);
      assert.equal(
        await tunnelVerdict(mesh, "prod", "dev", `127.0.0.1:${atDev.echo}`),
        "STREAM_DENIED",
      );
      assert.equal(await tunnelVerdict(mesh, "dev", "prod", target), "ok");
    }),
);

const devToProd = ["--from", "tag:dev", "--to", "tag:prod"];
const prodToDev = ["--from", "tag:prod", "--to", "tag:dev"];
