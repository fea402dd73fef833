import assert from "node:assert/strict";
import { join } from "node:path";
import type { ExitsReport } from "../../core/control/types.ts";
import { commandLine, Lab, labTest, run } from "../lab/mod.ts";
import { dockerChains } from "./fixtures/docker_chains.ts";
import { stillPicture } from "./fixtures/machine_picture.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const needs = { namespaces: true, tun: true, commands: ["curl"] } as const;

/**
 * A user whose way to the internet is a gateway, a neighbour of his, and out there two exits and a web server. On one exit's machine
 * docker runs a container.
 */
async function internet() {
  const net = await Lab.create();
  for (const name of ["user", "near", "gate", "exit", "spare", "web", "box"]) await net.node(name);
  const home = await net.bridge("home", ["user", "near", "gate"]);
  const world = await net.bridge("world", ["gate", "exit", "spare", "web"], {
    subnet: "198.51.100.0/24",
  });
  await net.exec(
    "gate",
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
  );
  await net.exec("user", "ip", "route", "add", "default", "via", home.ipv4("gate"));
  await net.exec("user", "ip", "-6", "route", "add", "default", "via", home.ipv6("gate"));
  for (const name of ["exit", "spare", "web"]) {
    await net.exec(name, "ip", "route", "add", "10.77.0.0/16", "via", world.ipv4("gate"));
    await net.exec(name, "ip", "-6", "route", "add", "fd00:77::/32", "via", world.ipv6("gate"));
  }
  const docker = await net.link("exit", "box", { subnet: "172.17.0.0/24" });
  await net.exec(
    "exit",
    "sysctl",
    "-qw",
    "net.ipv4.ip_forward=1",
    "net.ipv6.conf.all.forwarding=1",
  );
  await net.exec("box", "ip", "route", "add", "default", "via", docker.ipv4("exit"));
  await net.exec("box", "ip", "-6", "route", "add", "default", "via", docker.ipv6("exit"));
  await net.nft("exit", dockerChains("to-box", "172.17.0.0/24", "fd00:17:0::/64"));
  // Counts what goes from the user to the web server past every exit.
  await net.nft(
    "gate",
    `table ip count { chain forward { type filter hook forward priority 0;
      ip saddr ${home.ipv4("user")} ip daddr ${world.ipv4("web")} counter; }; }`,
  );
  return { net, home, world };
}

async function serve(net: Lab, mesh: SystemMesh, node: string, address: string): Promise<string> {
  const server = mesh.program(commandLine({
    command: [Deno.execPath(), "run", "-A", "--quiet"],
    args: [join(import.meta.dirname!, "fixtures/who_asks.ts"), address],
    netns: net.namespace(node),
  }));
  const { port } = JSON.parse(await server.line());
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}/`;
}

/** What the web server answers a node, the user unless another is named: the address it was asked from; undefined: nothing. */
async function ask(net: Lab, url: string, node = "user"): Promise<string | undefined> {
  const { code, stdout } = await run(
    commandLine({
      command: ["curl"],
      args: ["-sS", "--max-time", "3", url],
      netns: net.namespace(node),
    }),
    { env: { no_proxy: "*", http_proxy: "" } },
  );
  return code === 0 ? stdout : undefined;
}

async function passed(net: Lab): Promise<number> {
  const text = await net.exec("gate", "nft", "list", "table", "ip", "count");
  return Number(/counter packets (\d+)/.exec(text)?.[1]);
}

labTest(
  "packets of a node leave through its exit in both families, through another one when it dies, its own underlay and its neighbours as before, and with the kill switch nothing goes past dead exits; docker's containers beside an exit go on",
  needs,
  async () => {
    const { net, home, world } = await internet();
    await using _ = net;
    await withMesh(async (mesh) => {
      const before = {
        user: await stillPicture(net, "user"),
        exit: await stillPicture(net, "exit"),
      };
      const exitFlags = ["--ca", "--scribe", "--api-listen", "127.0.0.1:0", "--tun", "--exit"];
      await mesh.start("exit", ...exitFlags);
      const door = `${world.ipv4("exit")}:8443`;
      const code = await mesh.invite("exit", "--relay", door, "--max-uses", "2");
      await Promise.all([mesh.ok("user", "join", code), mesh.ok("spare", "join", code)]);
      const userFlags = ["--tun", "--use-exit", "auto", "--exit-killswitch"];
      const [user, web, near, web6] = await Promise.all([
        mesh.start("user", ...userFlags, door),
        serve(net, mesh, "web", world.ipv4("web")),
        serve(net, mesh, "near", home.ipv4("near")),
        serve(net, mesh, "web", world.ipv6("web")),
        mesh.start("spare", "--tun", "--exit", door),
      ]);
      await mesh.linked("user", "exit", "quic");
      await user.eventually(
        "nothing goes out before there is an exit",
        async () => await ask(net, web) === undefined,
      );
      assert.equal(await ask(net, near), home.ipv4("user"));
      const leaked = await passed(net);

      for (const cidr of ["0.0.0.0/0", "::/0"]) {
        await mesh.ok("exit", "route", "approve", cidr, mesh.id("exit"));
      }
      await user.eventually(
        "the exit is used",
        async () => await ask(net, web) === world.ipv4("exit"),
      );
      await user.eventually(
        "the exit is used for IPv6",
        async () => await ask(net, web6) === world.ipv6("exit"),
      );
      assert.equal(await ask(net, near), home.ipv4("user"));
      // Neither is in the other's way.
      assert.equal(await ask(net, web, "box"), world.ipv4("exit"));
      assert.equal(await ask(net, web6, "box"), world.ipv6("exit"));
      await net.exec("user", "ping", "-c1", "-W5", world.ipv4("web"));

      await mesh.ok("exit", "route", "approve", "0.0.0.0/0", mesh.id("spare"));
      await mesh.linked("user", "spare", "quic");
      const [first, second] = await user.eventually("one is in use, one stands by", async () => {
        const { body } = await user.api("GET", "/api/exits");
        const { routes } = body as ExitsReport;
        const name = (wanted: string) =>
          (["exit", "spare"] as const).find((one) =>
            routes.some(({ via, state, cidr }) =>
              via === mesh.id(one) && state === wanted && cidr === "0.0.0.0/0"
            )
          );
        const found = [name("active"), name("standby")] as const;
        return found[0] !== undefined && found[1] !== undefined && [found[0], found[1]] as const;
      });
      await mesh.node(first).kill9();
      await user.eventually(
        "the other one is used",
        async () => await ask(net, web) === world.ipv4(second),
      );
      await mesh.node(second).stop();
      await user.eventually("no exit is in use", async () => {
        const { body } = await user.api("GET", "/api/exits");
        return (body as ExitsReport).routes.every(({ state }) => state !== "active");
      });
      assert.equal(await ask(net, web), undefined);
      assert.equal(await ask(net, near), home.ipv4("user"));
      assert.equal(await passed(net), leaked);

      await user.kill9();
      const found = await mesh.pulse("user", "doctor");
      assert.equal(found.code, 1);
      assert.match(found.stdout, /unreachable route 0\.0\.0\.0\/0/);
      assert.match(await mesh.ok("user", "doctor", "--fix"), /^undone: \d+ changes/);
      assert.equal(await stillPicture(net, "user"), before.user);
      assert.equal(await ask(net, web), home.ipv4("user"));
      // The next start takes over what the killed one has left, and undoes all of it when it stops.
      const again = await mesh.start("exit", ...exitFlags);
      await again.eventually("the exit is one again", async () => {
        const { body } = await again.api("GET", "/api/health");
        return JSON.stringify(body).includes("leads to 2 ranges");
      });
      await again.stop();
      assert.equal(await stillPicture(net, "exit"), before.exit);
      assert.equal(await ask(net, web, "box"), world.ipv4("exit"));
    }, net);
  },
);
