import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Lab, labTest, Lag } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import { TunMesh, tunNeeds } from "./tun_mesh.ts";

const asleepMs = 60_000;
const backMs = 5_000;
/** Processes that a ping and its answer pass, and what has to come before: each may be kept waiting by a busy machine. */
const carriers = 8;

labTest(
  "nodes that were suspended for a minute have packets again within five seconds, a neighbour and one behind a relay",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    for (const name of ["a", "b", "r", "c"]) await net.node(name);
    const [ab, ar, rc] = [
      await net.link("a", "b"),
      await net.link("a", "r"),
      await net.link("r", "c"),
    ];
    await withMesh(
      async (mesh) => {
        const tun = new TunMesh(mesh, net);
        await tun.start("a", { b: ab.ipv4("a"), r: ar.ipv4("a") });
        await mesh.ok("c", "join", await mesh.invite("a", "--relay", `${rc.ipv4("r")}:8443`));
        await mesh.start("c", "--tun", `${rc.ipv4("r")}:8443`);
        const sleepers = ["b", "c"] as const;
        const a = await tun.addresses("a");
        const addresses = await Promise.all(sleepers.map((name) => tun.addresses(name)));
        for (const [n, name] of sleepers.entries()) {
          await tun.carried("a", name, "fast");
          await tun.untilPinged("a", addresses[n]!.ipv4, 30_000);
        }

        for (const name of sleepers) Deno.kill(mesh.node(name).pid, "SIGSTOP");
        await sleep(asleepMs);
        for (const name of sleepers) Deno.kill(mesh.node(name).pid, "SIGCONT");
        using lag = new Lag();
        const took = await Promise.all(sleepers.flatMap((name, n) => [
          tun.untilPinged("a", addresses[n]!.ipv4, 60_000),
          tun.untilPinged(name, a.ipv6, 60_000),
        ]));
        const [slowest, lagMs] = [Math.max(...took), lag.worstMs];
        assert.ok(
          slowest < backMs + carriers * lagMs,
          `${slowest} ms until pings were answered, on a machine that let this process wait ${lagMs} ms`,
        );
      },
      net,
      240_000,
    );
  },
);
