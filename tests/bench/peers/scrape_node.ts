/**
 * A node that knows a thousand others, with the metrics plugin in its Worker and the API on loopback, in a process of its own. Answers
 * `{"do":"port"}`.
 * @module
 */
import { systemClock } from "../../../core/clock/clock.ts";
import { ApiKeyStore } from "../../../core/control/api_key_store.ts";
import { serveNetwork } from "../../../core/control/network_server.ts";
import { sampleControl } from "../../../core/control/testing.ts";
import { TunnelPorts } from "../../../core/control/tunnel_ports.ts";
import { makeRecord, recordsMessage } from "../../../core/gossip/testing.ts";
import type { LinkReport } from "../../../core/gossip/types.ts";
import { createTestCa } from "../../../core/identity/testing.ts";
import type { Node } from "../../../core/node/node.ts";
import { scrape } from "../../../core/node/scrape.ts";
import { startTestNode, until } from "../../../core/node/testing.ts";
import { startTestHost } from "../../../core/plugin/testing.ts";
import project from "../../../deno.json" with { type: "json" };
import { Member } from "../../security/fixtures/member.ts";
import { RogueControl } from "../../security/fixtures/rogue_control.ts";
import { answerCommands } from "../json_child.ts";

/** Nodes the table holds, without the node itself. */
export const tableSize = 1_000;
const batch = 100;
const linksEach = 8;

/** Tells a node of the others, as a neighbour would; each is linked with those next to it. */
async function fillTable(node: Node, member: Member, others: readonly Member["credentials"][]) {
  const session = await member.dial(node.listeners.address, node.id);
  const control = await RogueControl.open(session);
  const everybody = [member.credentials, ...others];
  const records = everybody.map((credentials, at) => {
    const links = Array.from({ length: linksEach }, (_, n): LinkReport => {
      const step = n < linksEach / 2 ? n + 1 : linksEach / 2 - n - 1;
      const other = everybody[(at + step + everybody.length) % everybody.length]!;
      return { peer: other.certificate.id, latencyMs: 1 + (at * 7 + n) % 40, loss: 0 };
    });
    return makeRecord(credentials, { report: { version: "1.0.0", links } });
  });
  for (let n = 0; n < records.length; n += batch) {
    await control.gossip(recordsMessage(records.slice(n, n + batch), n + 1));
  }
  await until("the whole table", () => [...node.records()].length >= tableSize, 60_000);
}

if (import.meta.main) {
  await using stack = new AsyncDisposableStack();
  const ca = await createTestCa("corp");
  const { node } = stack.use(await startTestNode(await ca.issue()));
  const member = stack.use(await Member.create(await ca.issue(), "quic"));
  const others: Member["credentials"][] = [];
  while (others.length < tableSize) others.push(await ca.issue());
  await fillTable(node, member, others);
  const manifest = { ...project.pulse.plugins.metrics, module: "./mod.ts" };
  const { host: plugins } = stack.use(
    await startTestHost({ metrics: manifest }, {
      baseUrl: new URL("../../../plugins/metrics/", import.meta.url).href,
    }),
  );
  const log = () => {};
  const control = sampleControl({
    metrics: (names) => scrape(names, { node, plugins, log, now: systemClock.wall() }),
  });
  const server = stack.use(
    await serveNetwork({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      certificate: null,
      control,
      apiKeys: new ApiKeyStore("/nonexistent/api-keys.json", () => 0),
      tunnels: new TunnelPorts(() => performance.now()),
      log,
      now: () => performance.now(),
    }),
  );
  await answerCommands(() => Promise.resolve({ port: server.address.port }));
}
