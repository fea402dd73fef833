/**
 * `deno task soak [minutes]`: the packet tunnel under mixed load with keys that are replaced every five seconds, ten minutes unless
 * said otherwise: two nodes and the relay between them, files, datagrams and connections that are never quiet, in both families
 * and directions. Exit code 1 when something arrived wrong, a connection ended, or memory, open files, routes or rules have grown.
 * Needs what the system tests of the tunnel need.
 * @module
 */
import { join } from "node:path";
import { openFiles, residentBytes } from "../lab/memory.ts";
import { Lab, requires } from "../lab/mod.ts";
import { SystemMesh } from "../system/system_mesh.ts";
import { TunMesh, tunNeeds } from "../system/tun_mesh.ts";
import { growth, type Level, mb } from "./levels.ts";

const fileBytes = 20_000_000;
const rekeySeconds = 5;
const sampleMs = 5_000;

async function main(minutes: number): Promise<number> {
  const { ignore, reason } = requires(tunNeeds);
  if (ignore) {
    console.error(`the soak ${reason}`);
    return 2;
  }
  const dir = await Deno.makeTempDir({ prefix: "pulse-soak-" });
  try {
    await using net = await Lab.create();
    await using mesh = new SystemMesh(dir, net);
    return await soak(new TunMesh(mesh, net), minutes);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function soak(tun: TunMesh, minutes: number): Promise<number> {
  const { mesh, net } = tun;
  const nodes = ["a", "r", "c"];
  for (const name of nodes) await net.node(name);
  const [ar, rc] = [await net.link("a", "r"), await net.link("r", "c")];
  const config = join(mesh.dir, "soak.toml");
  await Deno.writeTextFile(config, `tun-rekey-seconds = ${rekeySeconds}\n`);
  await tun.start("r", { a: ar.ipv4("r"), c: rc.ipv4("r") }, ["--fec", "--config", config]);
  await tun.carried("a", "c", "fast");
  await tun.carried("a", "r", "fast");
  const services = new Map(
    await Promise.all(nodes.map(async (name) =>
      [name, {
        ...await tun.addresses(name),
        service: await mesh.service(name, fileBytes, "::"),
      }] as const
    )),
  );
  const pairs = nodes.flatMap((from) => nodes.map((to) => [from, to] as const))
    .filter(([from, to]) => from !== to);
  for (const [from, to] of pairs) await tun.untilPinged(from, services.get(to)!.ipv4, 20_000);
  const steadies = await Promise.all(pairs.map(async ([from, to], n) => {
    const { ipv4, ipv6, service } = services.get(to)!;
    return await tun.steady(from, n % 2 === 0 ? ipv4 : ipv6, service);
  }));

  const levels = new Map(nodes.map((name) => [name, [] as Level[]]));
  const began = performance.now();
  const left = () => minutes * 60_000 - (performance.now() - began);
  const done = { files: 0, datagrams: 0, quietMs: 0 };
  const load = pairs.map(async ([from, to], n) => {
    for (let turn = n; left() > 0; turn++) {
      const { ipv4, ipv6, service } = services.get(to)!;
      const host = turn % 2 === 0 ? ipv4 : ipv6;
      await tun.fetchesFile(from, host, service);
      done.files++;
      await tun.exchangesDatagrams(from, host, service);
      done.datagrams++;
    }
  });
  const watch = async () => {
    while (left() > 0) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(sampleMs, Math.max(0, left()))));
      for (const name of nodes) levels.get(name)!.push(await level(tun, name));
      for (const steady of steadies) {
        const { ended, longestMs } = await steady.report();
        if (ended !== null) throw new Error(`a connection has ended: ${ended}`);
        done.quietMs = Math.max(done.quietMs, longestMs);
      }
      const now = nodes.map((name) => `${name} ${mb(levels.get(name)!.at(-1)!.residentBytes)} MB`);
      console.log(
        `${Math.round((performance.now() - began) / 1_000)} s: ${done.files} files, ${
          now.join(", ")
        }`,
      );
    }
  };
  await Promise.all([...load, watch()]);
  console.log(
    `${done.files} files and ${done.datagrams} rounds of datagrams arrived as they were; ` +
      `no connection was quiet for more than ${Math.round(done.quietMs)} ms`,
  );
  const grown = growth(levels);
  for (const line of grown) console.error(line);
  console.log(grown.length === 0 ? "nothing has grown" : "something has grown");
  return grown.length === 0 ? 0 : 1;
}

async function level(tun: TunMesh, name: string): Promise<Level> {
  const { pid } = tun.mesh.node(name);
  const listed = await Promise.all([
    tun.net.exec(name, "ip", "route", "show", "table", "all"),
    tun.net.exec(name, "ip", "-6", "route", "show", "table", "all"),
    tun.net.exec(name, "ip", "rule"),
    tun.net.exec(name, "ip", "-6", "rule"),
    tun.net.exec(name, "nft", "list", "ruleset"),
  ]);
  return {
    residentBytes: residentBytes(pid),
    files: openFiles(pid),
    networkLines: listed.join("").split("\n").length,
  };
}

if (import.meta.main) {
  const minutes = Number(Deno.args[0] ?? 10);
  if (!(minutes > 0)) {
    console.error("usage: deno task soak [minutes]");
    Deno.exit(2);
  }
  Deno.exit(await main(minutes));
}
