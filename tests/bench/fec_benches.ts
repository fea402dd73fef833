import { requires } from "../lab/requires.ts";
import { DatagramFlow } from "./fec/datagram_flow.ts";
import { FecSite } from "./fec/fec_site.ts";
import { fecTable } from "./fec/fec_table.ts";

/** Parity against loss: two packet loops, and between them a wire that loses what a seeded model says. */
export const fecBenches = {
  name: "fec",
  async run(progress: (text: string) => void): Promise<string> {
    const needs = { namespaces: true, tun: true, commands: ["iperf3", "ping"] } as const;
    const { ignore, reason } = requires(needs);
    if (ignore) return reason;
    await using site = await FecSite.create();
    using flow = new DatagramFlow(site.namespaces.a, site.namespaces.b);
    return await fecTable(site, flow, progress);
  },
};
