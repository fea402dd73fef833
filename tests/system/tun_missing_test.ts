import assert from "node:assert/strict";
import { join } from "node:path";
import { fromSource, Lab, labTest, startDaemon } from "../lab/mod.ts";
import { tunNeeds } from "./tun_mesh.ts";

const missing = [
  {
    what: "the right to make interfaces",
    without: ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"],
    said:
      /everything else works: cannot make the interface pulse0: .* EPERM .* run as root or with CAP_NET_ADMIN$/,
  },
  {
    what: "/dev/net/tun",
    without: ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"],
    said: /everything else works: cannot open \/dev\/net\/tun: .* ENOENT .*modprobe tun/,
  },
];

for (const { what, without, said } of missing) {
  labTest(
    `without ${what} a node says so in one line, and works but for its packet tunnel`,
    { ...tunNeeds, commands: ["setpriv", "unshare"] },
    async () => {
      await using lab = await Lab.create();
      const dir = await Deno.makeTempDir({ prefix: "pulse-tun-" });
      try {
        await using daemon = await startDaemon({
          args: ["--ca", "--tun", "--listen", "127.0.0.1:0", "--addr", "none"],
          dataDir: join(dir, "a"),
          netns: await lab.node("a"),
          command: [...without, ...fromSource],
        });
        const lines = daemon.logs().split("\n").filter((line) => line.includes('"level":"error"'));
        assert.equal(lines.length, 1, lines.join("\n"));
        assert.match(JSON.parse(lines[0]!).error, said);
        const { self, warnings } = await daemon.status();
        assert.ok(!self.capabilities.includes("tun"));
        assert.match(
          warnings.find(({ code }) => code === "PLUGIN_FAILED")?.text ?? "",
          /There is no packet tunnel/,
        );
        assert.ok(self.listen.quic !== null && self.capabilities.includes("ca"));
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  );
}
