import { neighbourTable } from "./packets/neighbour.ts";
import { packetTable, type Wire } from "./packets/packet_table.ts";
import { nebula } from "./packets/tunnels/nebula.ts";
import { plain } from "./packets/tunnels/plain.ts";
import { pulse } from "./packets/tunnels/pulse.ts";
import { tinc } from "./packets/tunnels/tinc.ts";
import { wireguard } from "./packets/tunnels/wireguard.ts";

const whole: Wire = { name: "whole trains", offload: true };
const alone: Wire = { name: "one by one", offload: false };
const lossy: Wire = { name: "one by one, 1 % lost", offload: false, lost: 10 };

/** Packets between two nodes, and through a third one, next to other programs that do the same. */
export const packetBenches = {
  name: "packets",
  async run(progress: (text: string) => void): Promise<string> {
    const kinds = [plain, pulse, wireguard, nebula, tinc];
    const two = await packetTable({
      kinds,
      wires: [whole, alone, lossy],
      nodes: ["a", "b"],
      progress,
    });
    const three = await packetTable({
      kinds: kinds.filter((kind) => kind !== plain),
      wires: [whole, alone],
      nodes: ["a", "relay", "b"],
      progress,
    });
    const neighbour = await neighbourTable(progress);
    return `Two nodes\n${two}\n\nWith a relay between them\n${three}\n\n` +
      `A ping to one peer while another one is sent in bulk\n${neighbour}`;
  },
};
