import { join } from "node:path";
import { runOk } from "../../../lab/command.ts";
import { outerAddress, type TunnelKind } from "../tunnel.ts";
import { answering } from "./answers.ts";

const port = 4242;
const hosts = { a: 1, b: 2, relay: 3 } as const;

/** Slack's nebula, with AES. */
export const nebula: TunnelKind = {
  name: "nebula",
  commands: ["nebula", "nebula-cert"],
  relays: true,
  async start(site) {
    const { lab, folder, nodes } = site;
    const file = (name: string) => join(folder, name);
    const authority = ["-out-crt", file("ca.crt"), "-out-key", file("ca.key")];
    await runOk(["nebula-cert", "ca", "-name", "bench", ...authority]);
    const children: Deno.ChildProcess[] = [];
    for (const [place, node] of nodes.entries()) {
      await runOk([
        ...["nebula-cert", "sign", "-ca-crt", file("ca.crt"), "-ca-key", file("ca.key")],
        ...["-name", node, "-ip", `10.92.0.${hosts[node]}/24`],
        ...["-out-crt", file(`${node}.crt`), "-out-key", file(`${node}.key`)],
      ]);
      const neighbours = nodes.filter((_, i) => Math.abs(i - place) === 1);
      const between = nodes.length === 3;
      const known = neighbours.map((name) => [
        `10.92.0.${hosts[name]}`,
        [`${outerAddress(site, name, node)}:${port}`],
      ]);
      const relay = {
        am_relay: node === "relay",
        use_relays: true,
        ...(between && node !== "relay" && { relays: [`10.92.0.${hosts.relay}`] }),
      };
      const config = {
        pki: { ca: file("ca.crt"), cert: file(`${node}.crt`), key: file(`${node}.key`) },
        static_host_map: Object.fromEntries(known),
        lighthouse: {
          am_lighthouse: between ? node === "relay" : false,
          hosts: between && node !== "relay" ? [`10.92.0.${hosts.relay}`] : [],
        },
        relay,
        listen: { host: "0.0.0.0", port, read_buffer: 8 << 20, write_buffer: 8 << 20 },
        tun: { dev: `neb-${node}`, mtu: 1400, tx_queue: 1000 },
        cipher: "aes",
        firewall: {
          outbound: [{ port: "any", proto: "any", host: "any" }],
          inbound: [{ port: "any", proto: "any", host: "any" }],
        },
        logging: { level: "error" },
      };
      // JSON is YAML.
      await Deno.writeTextFile(file(`${node}.yml`), JSON.stringify(config));
      children.push(
        lab.spawn(node, ["nebula", "-config", file(`${node}.yml`)], {
          stdout: "null",
          stderr: "null",
        }),
      );
    }
    return await answering(site, `10.92.0.${hosts.b}`, children);
  },
};
