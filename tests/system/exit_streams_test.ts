import assert from "node:assert/strict";
import { join } from "node:path";
import type { ExitsReport } from "../../core/control/types.ts";
import { commandLine, Lab, labTest, run } from "../lab/mod.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const range = "192.168.7.0/24";

/** A user and two exits in one network, and a site behind the exits with a web server. */
async function site() {
  const net = await Lab.create();
  for (const name of ["user", "left", "right", "web"]) await net.node(name);
  const outside = await net.bridge("outside", ["user", "left", "right"]);
  const lan = await net.bridge("lan", ["left", "right", "web"], { subnet: range });
  return { net, outside, lan };
}

async function states(mesh: SystemMesh): Promise<Record<string, string>> {
  const { routes }: ExitsReport = JSON.parse(await mesh.ok("user", "route", "list", "--json"));
  return Object.fromEntries(routes.map(({ via, state }) => [via, state]));
}

labTest(
  "streams and datagrams of SOCKS, and forward, reach a site through its exit once the scribe approves it, through the other when one dies, and no more when rules deny it",
  { namespaces: true, commands: ["curl"] },
  async () => {
    const { net, outside, lan } = await site();
    await using _ = net;
    await withMesh(async (mesh) => {
      const door = `${outside.ipv4("user")}:8443`;
      await mesh.start("user", "--ca", "--scribe", "--api-listen", "127.0.0.1:0", "--socks");
      const code = await mesh.invite("user", "--max-uses", "2");
      const exits = ["left", "right"] as const;
      await Promise.all(exits.map((name) => mesh.ok(name, "join", code)));
      const flags = ["--exit", "--exit-cidrs", range];
      await Promise.all(exits.map((name) => mesh.start(name, ...flags, door)));
      const script = join(import.meta.dirname!, "fixtures/who_asks.ts");
      const server = mesh.program(commandLine({
        command: [Deno.execPath(), "run", "-A", "--quiet", script],
        args: [lan.ipv4("web")],
        netns: net.namespace("web"),
      }));
      const { port, udp } = JSON.parse(await server.line());
      const url = `http://${lan.ipv4("web")}:${port}/`;
      const fetch = async (...args: string[]) => {
        const argv = ["-sS", "--max-time", "20", ...args];
        return await run(
          commandLine({ command: ["curl"], args: argv, netns: net.namespace("user") }),
          { env: { no_proxy: "", NO_PROXY: "", http_proxy: "" } },
        );
      };
      const asked = async (patienceMs: number) => {
        const args = ["1080", lan.ipv4("web"), String(udp), String(patienceMs)];
        return JSON.parse(await mesh.fixture("user", "socks_datagram.ts", ...args).line());
      };
      const socks = ["--socks5-hostname", "127.0.0.1:1080", url];

      await mesh.node("user").eventually("both announce the range", async () => {
        const seen = await states(mesh);
        return exits.every((name) => seen[mesh.id(name)] === "unapproved");
      });
      const before = await fetch(...socks);
      assert.equal(before.code, 97);
      assert.match(before.stderr, /\(2\)/);

      for (const name of exits) await mesh.ok("user", "route", "approve", range, mesh.id(name));
      const used = await mesh.node("user").eventually("one of them is in use", async () => {
        const seen = await states(mesh);
        const [active, other] = exits.toSorted((a) => seen[mesh.id(a)] === "active" ? -1 : 1);
        return seen[mesh.id(active!)] === "active" && seen[mesh.id(other!)] === "standby" &&
          { active: active!, other: other! };
      });
      for (const name of exits) {
        await mesh.node(name).eventually("the exit has heard of its approval", async () => {
          const { body } = await mesh.node(name).api("GET", "/api/exits");
          return (body as ExitsReport).routes.some(({ state }) => state === "own");
        });
      }
      const through = await fetch(...socks);
      assert.deepEqual([through.code, through.stdout], [0, lan.ipv4(used.active)]);
      const from = `${lan.ipv4("web")}:${udp}`;
      assert.deepEqual(await asked(30_000), { from, text: lan.ipv4(used.active) });

      const dest = `${lan.ipv4("web")}:${port}`;
      await using forward = mesh.talk(
        "user",
        ...["forward", "--dest", dest, "--local", "127.0.0.1:0", "--json"],
      );
      const { local } = JSON.parse(await forward.line());
      assert.equal((await fetch(`http://${local}/`)).stdout, lan.ipv4(used.active));
      const away = await mesh.pulse("user", "connect", "--dest", "192.0.2.1:80");
      assert.equal(away.code, 1);
      assert.match(away.stderr, /No exit leads to 192\.0\.2\.1/);

      await mesh.node(used.active).kill9();
      await mesh.node("user").eventually("the other exit is used", async () => {
        const { code, stdout } = await fetch(...socks);
        return code === 0 && stdout === lan.ipv4(used.other);
      });
      assert.deepEqual(await asked(30_000), { from, text: lan.ipv4(used.other) });

      await mesh.ok("user", "acl", "add", "--deny", "--to", range);
      await mesh.node("user").eventually("the rule holds", async () => {
        const { code, stderr } = await fetch(...socks);
        return code === 97 && stderr.includes("(2)");
      });
      assert.equal(await asked(1_000), null);
    }, net);
  },
);
