import { join } from "node:path";
import { runOk } from "../../../lab/command.ts";
import { eventually } from "../../../lab/wait.ts";
import { outerAddress, type TunnelKind } from "../tunnel.ts";
import { answering } from "./answers.ts";

const port = 51_820;
const hosts = { a: 1, b: 2, relay: 3 } as const;

/** wireguard-go. It has no relays: a node between decrypts, routes and encrypts. */
export const wireguard: TunnelKind = {
  name: "wireguard-go",
  commands: ["wireguard-go", "wg"],
  relays: false,
  async start(site) {
    const { lab, folder, nodes } = site;
    const keys = new Map<string, { readonly file: string; readonly key: string }>();
    for (const node of nodes) {
      const secret = (await runOk(["wg", "genkey"])).trim();
      const file = join(folder, `${node}.key`);
      await Deno.writeTextFile(file, secret);
      keys.set(node, { file, key: (await runOk(["wg", "pubkey"], { stdin: secret })).trim() });
    }
    const children: Deno.ChildProcess[] = [];
    for (const [place, node] of nodes.entries()) {
      // The name is also that of a socket all namespaces share.
      const device = `wg${Deno.pid % 10_000}${node}`;
      children.push(
        lab.spawn(node, ["wireguard-go", "-f", device], { stdout: "null", stderr: "null" }),
      );
      await eventually(() => lab.exec(node, "wg", "show", device), { what: "wireguard-go is up" });
      const set = ["wg", "set", device, "listen-port", `${port}`, "private-key"];
      await lab.exec(node, ...set, keys.get(node)!.file);
      for (const [other, name] of nodes.entries()) {
        if (Math.abs(other - place) !== 1) continue;
        // Whatever lies in that direction comes from and goes to this neighbour.
        const behind = nodes.filter((_, i) => (i - place) * (other - place) > 0);
        await lab.exec(
          node,
          ...["wg", "set", device, "peer", keys.get(name)!.key],
          ...["endpoint", `${outerAddress(site, name, node)}:${port}`],
          ...["allowed-ips", behind.map((each) => `10.91.0.${hosts[each]}/32`).join(",")],
        );
      }
      await lab.exec(node, "ip", "address", "add", `10.91.0.${hosts[node]}/24`, "dev", device);
      await lab.exec(node, "ip", "link", "set", device, "up");
      if (node === "relay") await lab.exec(node, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    }
    return await answering(site, `10.91.0.${hosts.b}`, children);
  },
};
