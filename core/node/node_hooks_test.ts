import assert from "node:assert/strict";
import { commandProtocol } from "../commands/mod.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import type { IncomingStream } from "../streams/mod.ts";
import { nodeHooks, type NodeHooksParts } from "./node_hooks.ts";
import { datagramsProtocol } from "./session_datagrams.ts";

const [self, peer] = ["1".repeat(32), "2".repeat(32)];

/** Parts that write down what they are told. */
function told() {
  const heard: string[] = [];
  const hear = (what: string) => void heard.push(what);
  const parts = {
    self,
    node: () => ({ datagrams: { serve: () => Promise.resolve(hear("datagrams")) } }),
    plugins: {
      networkConfigChanged: () => hear("plugins: config"),
      linkUp: () => hear("plugins: up"),
      linkDown: () => hear("plugins: down"),
      protocols: () => ["dns"],
      handleStream: (protocol: string) => {
        hear(`plugins: ${protocol}`);
        return Promise.resolve(protocol === "dns");
      },
    },
    history: {
      event: (type: string) => hear(`event ${type}`),
      watchWarnings: () => hear("warnings"),
      protocols: ["stats"],
      handle: (protocol: string) => Promise.resolve(protocol === "stats"),
    },
    certificates: { wake: () => hear("certificate") },
    remote: { serve: () => Promise.resolve(hear("remote")) },
    log: { child: () => () => {} },
  } as unknown as NodeHooksParts;
  return { heard, hooks: nodeHooks(parts) };
}

const from = (id: string) => ({ origin: { id } }) as unknown as IncomingStream;

Deno.test("plugins and the event log hear of links, and who waits for a certificate of a config and a CA roll", () => {
  const { heard, hooks } = told();
  hooks.linkUp(peer, "direct_quic");
  hooks.linkDown(peer, "gone");
  hooks.networkConfig?.({ epoch: 1, version: 1, hash: "" });
  hooks.networkConfigProblems?.();
  hooks.caRoll?.({ roll: { stage: "overlap", serial: 1 }, to: { fingerprint: "f" } } as never);
  assert.deepEqual(heard, [
    "event link_up",
    "plugins: up",
    "event link_down",
    "plugins: down",
    // The CA's plugin first: it answers who asks for a certificate then.
    "plugins: config",
    "certificate",
    "warnings",
    "event ca_roll_overlap",
    "certificate",
  ]);
});

Deno.test("a stream goes to whoever serves its protocol, and one for nobody is left", async () => {
  const { heard, hooks } = told();
  assert.deepEqual(hooks.protocols(), [commandProtocol, datagramsProtocol, "dns", "stats"]);
  const handled: boolean[] = [];
  for (const protocol of [commandProtocol, "stats", "dns", "nobody"]) {
    const [stream] = memoryStreamPair();
    handled.push(await hooks.handleStream(protocol, stream, from(peer)));
  }
  assert.deepEqual(handled, [true, true, true, false]);
  assert.deepEqual(heard, ["remote", "plugins: dns", "plugins: nobody"]);
});

Deno.test("datagrams of neighbours are lent to this process itself and to nobody else", async () => {
  const { heard, hooks } = told();
  const [stream] = memoryStreamPair();
  assert.equal(await hooks.handleStream(datagramsProtocol, stream, from(peer)), false);
  assert.equal(await hooks.handleStream(datagramsProtocol, stream, from(self)), true);
  assert.deepEqual(heard, ["datagrams"]);
});
