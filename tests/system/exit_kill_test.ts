import assert from "node:assert/strict";
import { join } from "node:path";
import { commandLine, Lab, labTest } from "../lab/mod.ts";
import { machinePicture, stillPicture } from "./fixtures/machine_picture.ts";
import { withMesh } from "./system_mesh.ts";

const kills = 20;
/** After so many kills in a row the doctor is called. */
const between = 5;

labTest(
  "killed twenty times at any moment while it changes the machine, the doctor leaves everything byte for byte as it was",
  { namespaces: true },
  async () => {
    await using net = await Lab.create();
    const netns = await net.node("a");
    await net.node("b");
    await net.link("a", "b");
    await net.exec("a", "ip", "route", "add", "default", "dev", "to-b");
    await net.exec("a", "ip", "-6", "route", "add", "default", "dev", "to-b");
    await net.exec("a", "ip", "link", "add", "pulse0", "type", "veth", "peer", "away0");
    await net.exec("a", "ip", "link", "set", "away0", "up");
    await net.exec("a", "ip", "link", "set", "pulse0", "up");
    // One interface forwards already, and docker's kind of chains are there.
    await net.exec("a", "sysctl", "-qw", "net.ipv6.conf.to-b.forwarding=1");
    await net.nft(
      "a",
      `table ip filter { chain DOCKER-USER { return; }
        chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
        }`,
    );
    await withMesh(async (mesh) => {
      const before = await stillPicture(net, "a");
      const script = join(import.meta.dirname!, "fixtures/restless_exit.ts");
      const argv = commandLine({
        command: [Deno.execPath(), "run", "-A", "--quiet"],
        args: [script, join(mesh.dataDir("a"), "exit")],
        netns,
      });
      let changed = 0;
      for (let turn = 1; turn <= kills; turn++) {
        const child = new Deno.Command(argv[0]!, {
          args: argv.slice(1),
          stdout: "piped",
          stderr: "inherit",
        }).spawn();
        const reader = child.stdout.getReader();
        await reader.read();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
        child.kill("SIGKILL");
        await reader.cancel();
        const { signal } = await child.status;
        assert.equal(signal, "SIGKILL", "it ended by itself");
        if (turn % between !== 0) continue;
        if (await machinePicture(net, "a") !== before) changed++;
        await mesh.ok("a", "doctor", "--fix");
        assert.equal(await machinePicture(net, "a"), before);
        assert.match(await mesh.ok("a", "doctor"), /^nothing on this machine is left changed$/m);
      }
      assert.ok(changed > 0, "nothing was ever changed");
    }, net);
  },
);
