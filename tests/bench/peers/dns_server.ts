/**
 * The DNS plugin in its Worker, over a mesh of a thousand nodes, in a process of its own. Answers `{"do":"port"}`.
 * The argument says where it listens.
 * @module
 */
import { sampleSnapshot, startDns } from "../../../plugins/dns/testing.ts";
import { answerCommands } from "../json_child.ts";

/** Nodes are called n0, n1, ...; each offers one service. */
export const nodeCount = 1_000;

if (import.meta.main) {
  const nodes = Array.from({ length: nodeCount }, (_, n) => ({
    id: n.toString(16).padStart(32, "0"),
    name: `n${n}`,
    tags: [],
    meshAddresses: [`10.100.${n >> 8}.${n & 255}`, `fd12:3456:789a::${n.toString(16)}`],
    services: [{ name: "http", port: 80 }],
  }));
  const sample = sampleSnapshot();
  const dns = await startDns({ listen: Deno.args[0] ?? "127.0.0.1:0" }, {
    ...sample,
    nodes: nodes as typeof sample.nodes,
  });
  await answerCommands(() => Promise.resolve({ port: dns.port }));
  await dns[Symbol.asyncDispose]();
}
