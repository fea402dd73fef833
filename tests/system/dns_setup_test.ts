import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { fromSource } from "../lab/cli.ts";
import { eventually, Lab, labTest } from "../lab/mod.ts";

const server = fileURLToPath(new URL("../bench/peers/dns_server.ts", import.meta.url));
const resolvConf = "# mine\nnameserver 192.0.2.53\noptions timeout:1 attempts:1\n";

/** Run with an /etc of its own; leaves what happened as files. */
const script = `
set -eu
cp -a /etc "$DIR/etc"
rm -f "$DIR/etc/resolv.conf"
mount --bind "$DIR/etc" /etc
printf '%s' "$RESOLV_CONF" > /etc/resolv.conf
echo 'hosts: files dns' > /etc/nsswitch.conf
"$@" setup dns --data-dir "$DIR/data" --listen 127.0.0.1:53
getent hosts n7.pulse
"$@" setup dns --data-dir "$DIR/data" --undo
printf '%s' "$RESOLV_CONF" | cmp - /etc/resolv.conf
if getent hosts n7.pulse; then exit 7; fi
`;

labTest(
  "programs of a machine find names of the mesh after setup dns, and not any more after undo",
  { namespaces: true, commands: ["getent", "mount", "cmp"] },
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "pulse-setup-" });
    try {
      await using lab = await Lab.create();
      await lab.node("m");
      const child = lab.spawn("m", [Deno.execPath(), "run", "-A", server, "127.0.0.1:53"], {
        stdin: "piped",
        stdout: "null",
        stderr: "null",
      });
      const input = child.stdin;
      await eventually(async () => {
        const { stdout } = await lab.run("m", ["ss", "-lun"]);
        return stdout.includes("127.0.0.1:53");
      }, { what: "DNS listens" });
      const { code, stdout, stderr } = await lab.run(
        "m",
        ["sh", "-c", script, "sh", ...fromSource],
        {
          env: { DIR: directory, RESOLV_CONF: resolvConf },
          timeoutMs: 60_000,
        },
      );
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^fd12:3456:789a::7 +n7\.pulse$/m);
      assert.match(stdout, /^changed \/etc\/resolv\.conf:$/m);
      assert.match(stdout, /^restored \/etc\/resolv\.conf$/m);
      await input.close();
      await child.status;
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);
