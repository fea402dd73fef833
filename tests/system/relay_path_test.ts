import assert from "node:assert/strict";
import { Lab, labTest } from "../lab/mod.ts";
import type { ServiceInfo } from "./fixtures/service.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const needs = { namespaces: true, commands: ["curl"] } as const;
const fileBytes = 20_000_000;
const socks = ["--socks5-hostname", "127.0.0.1:1080"];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A - B - C: A and C share no network, and B forwards no packets. */
async function threeInARow() {
  const net = await Lab.create();
  for (const name of ["a", "b", "c"]) await net.node(name);
  const [ab, bc] = [await net.link("a", "b"), await net.link("b", "c")];
  const toB = { fromA: `${ab.ipv4("b")}:8443`, fromC: `${bc.ipv4("b")}:8443` };
  return { net, toB, toC: `${bc.ipv4("c")}:8443` };
}

const url = (mesh: SystemMesh, { http }: ServiceInfo, path: string) =>
  `http://${mesh.id("c")}.pulse:${http}/${path}`;

async function fetchesFile(mesh: SystemMesh, service: ServiceInfo): Promise<void> {
  const { code, stderr, bytes, sha256 } = await mesh.curl(
    "a",
    ...socks,
    url(mesh, service, "file"),
  );
  assert.deepEqual([code, stderr, bytes, sha256], [0, "", fileBytes, service.sha256]);
}

/** What ssh does with a ProxyCommand: questions and answers in turns, then each side ends in its own time. */
async function talksLikeSsh(mesh: SystemMesh, { echo, greet, http }: ServiceInfo): Promise<void> {
  await using ping = mesh.talk("a", "connect", mesh.id("c"), `127.0.0.1:${echo}`);
  for (let turn = 0; turn < 20; turn++) {
    const said = `turn ${turn}\n`;
    await ping.write(said);
    assert.equal(text(await ping.read(said.length)), said);
  }
  await ping.end();
  assert.match(text(await ping.rest()), /^end of \d+ bytes$/);
  assert.deepEqual(await ping.ended(), { code: 0, stderr: "" });

  await using late = mesh.talk("a", "connect", mesh.id("c"), `127.0.0.1:${greet}`);
  assert.equal(text(await late.read(5)), "hello");
  await late.write("x".repeat(300_000));
  await late.end();
  assert.equal(text(await late.rest()), "");
  assert.deepEqual(await late.ended(), { code: 0, stderr: "" });
  // What was said is on its way through three nodes when the command has ended.
  await mesh.node("c").eventually(
    "everything said after the far end had ended is heard",
    async () => {
      const heard = await mesh.curl("c", `http://127.0.0.1:${http}/heard`);
      return heard.bytes === "300000".length;
    },
  );
}

async function forwards(mesh: SystemMesh, service: ServiceInfo): Promise<void> {
  const dest = `127.0.0.1:${service.http}`;
  await using forward = mesh.talk(
    "a",
    ...["forward", "--node", mesh.id("c"), "--dest", dest, "--local", "127.0.0.1:0", "--json"],
  );
  const { local } = JSON.parse(await forward.line());
  const fetched = await Promise.all([1, 2].map(() => mesh.curl("a", `http://${local}/file`)));
  for (const { sha256 } of fetched) assert.equal(sha256, service.sha256);
}

labTest(
  "two nodes that share no network reach each other through the relay between them, hear of its death within 10 s, and go on within 15 s after its return",
  needs,
  async () => {
    const { net, toB } = await threeInARow();
    await using _ = net;
    await withMesh(async (mesh) => {
      const relay = await mesh.start("b", "--ca");
      const code = await mesh.invite("b", "--max-uses", "2");
      await Promise.all([mesh.ok("a", "join", code), mesh.ok("c", "join", code)]);
      await Promise.all([
        mesh.start("a", "--socks", toB.fromA),
        mesh.start("c", "--allow-local", "all", toB.fromC),
      ]);
      const service = await mesh.service("c", fileBytes);
      assert.equal((await mesh.path("a", "b", "c")).link, "-");
      const [short, via] = [mesh.id("c").slice(0, 8), mesh.id("b").slice(0, 8)];
      assert.match(await mesh.ok("a", "status"), new RegExp(`^${short} .* via ${via} `, "m"));

      await fetchesFile(mesh, service);
      await talksLikeSsh(mesh, service);
      await forwards(mesh, service);

      await using idle = mesh.talk("a", "connect", mesh.id("c"), `127.0.0.1:${service.echo}`);
      await idle.write("?");
      await idle.read(1);
      const running = mesh.curl("a", ...socks, url(mesh, service, "drip"));
      await mesh.received("a", 100_000);
      await relay.kill9();
      const killed = performance.now();
      const within = (what: string, seconds: number, since: number) => {
        const took = performance.now() - since;
        assert.ok(took < seconds * 1000, `${what} after ${Math.round(took)} ms`);
      };
      // curl: 18 the transfer broke off, 97 the proxy said no.
      assert.equal((await running).code, 18);
      within("the running transfer broke off", 10, killed);
      assert.equal((await idle.ended()).code, 1);
      within("an idle connection ended", 10, killed);
      const asked = performance.now();
      assert.equal((await mesh.curl("a", ...socks, url(mesh, service, "file"))).code, 97);
      within("a new request was refused", 10, asked);

      await mesh.start("b", "--ca");
      const back = performance.now();
      await mesh.node("a").eventually(
        "a answer through the relay",
        async () => (await mesh.curl("a", ...socks, url(mesh, service, "heard"))).code === 0,
      );
      within("it worked again", 15, back);
      // c's report from the time it was alone may still come in before the one that says it is linked again.
      await mesh.node("a").eventually("a the whole file", async () => {
        const { code, sha256 } = await mesh.curl("a", ...socks, url(mesh, service, "file"));
        return code === 0 && sha256 === service.sha256;
      });
    }, net);
  },
);

labTest(
  "a node joins through a relay that is not the CA, and reaches the CA behind it",
  needs,
  async () => {
    const { net, toB, toC } = await threeInARow();
    await using _ = net;
    await withMesh(async (mesh) => {
      await mesh.start("c", "--ca", "--allow-local", "all");
      await mesh.ok("b", "join", await mesh.invite("c", "--relay", toC));
      await mesh.start("b", toC);
      await mesh.linked("b", "c", "quic");
      await mesh.ok("a", "join", await mesh.invite("c", "--relay", toB.fromA));
      await mesh.start("a", "--socks", toB.fromA);
      await mesh.path("a", "b", "c");
      await fetchesFile(mesh, await mesh.service("c", fileBytes));
      assert.match(await mesh.ok("c", "ca", "nodes"), new RegExp(mesh.id("a")));
    }, net);
  },
);
