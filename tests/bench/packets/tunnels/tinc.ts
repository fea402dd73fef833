import { join } from "node:path";
import { runOk } from "../../../lab/command.ts";
import { outerAddress, type TunnelKind } from "../tunnel.ts";
import { answering } from "./answers.ts";

const hosts = { a: 1, b: 2, relay: 3 } as const;

/** tinc 1.0, with its own default ciphers. */
export const tinc: TunnelKind = {
  name: "tinc",
  commands: ["tincd"],
  relays: true,
  async start(site) {
    const { lab, folder, nodes } = site;
    for (const [place, node] of nodes.entries()) {
      const here = join(folder, `tinc-${node}`);
      await Deno.mkdir(join(here, "hosts"), { recursive: true });
      const neighbours = nodes.filter((_, i) => Math.abs(i - place) === 1);
      await Deno.writeTextFile(
        join(here, "tinc.conf"),
        [
          `Name = ${node}`,
          "DeviceType = tun",
          `Interface = tinc-${node}`,
          ...neighbours.map((name) => `ConnectTo = ${name}`),
        ].join("\n") + "\n",
      );
      const up = `#!/bin/sh
ip address add 10.93.0.${hosts[node]}/24 dev "$INTERFACE"
ip link set "$INTERFACE" up
`;
      await Deno.writeTextFile(join(here, "tinc-up"), up, { mode: 0o755 });
      await Deno.writeTextFile(
        join(here, "hosts", node),
        `Subnet = 10.93.0.${hosts[node]}/32\n`,
      );
      await runOk(["tincd", "-c", here, "-K", "2048"], { stdin: "\n\n" });
    }
    const children: Deno.ChildProcess[] = [];
    for (const [place, node] of nodes.entries()) {
      const here = join(folder, `tinc-${node}`);
      for (const [other, name] of nodes.entries()) {
        if (name === node) continue;
        const theirs = await Deno.readTextFile(join(folder, `tinc-${name}`, "hosts", name));
        const near = Math.abs(other - place) === 1;
        const address = near ? `Address = ${outerAddress(site, name, node)}\n` : "";
        await Deno.writeTextFile(join(here, "hosts", name), address + theirs);
      }
    }
    for (const node of nodes) {
      const here = join(folder, `tinc-${node}`);
      const pid = `--pidfile=${join(here, "pid")}`;
      children.push(
        lab.spawn(node, ["tincd", "-c", here, "-D", pid], { stdout: "null", stderr: "null" }),
      );
    }
    return await answering(site, `10.93.0.${hosts.b}`, children);
  },
};
