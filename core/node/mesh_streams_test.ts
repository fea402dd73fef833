import assert from "node:assert/strict";
import type { NodeId } from "../identity/types.ts";
import { createTestCa } from "../identity/testing.ts";
import type { Avoid, Path } from "../router/mod.ts";
import { MeshStreams } from "./mesh_streams.ts";
import { PolicyGate } from "./policy_gate.ts";

/** Streams of a node without a link, and what was asked of its router. */
async function streamsOfNobody() {
  const credentials = await (await createTestCa()).issue();
  const asked: { readonly how: string; readonly avoided: number }[] = [];
  const answer = (how: string) => (destination: NodeId, avoid: Avoid): Path => {
    asked.push({ how, avoided: avoid.links?.length ?? 0 });
    const nodes = [credentials.key.id, `relay${asked.length}`, destination];
    return { nodes, latencyMs: 1, loss: 0, score: 1 };
  };
  const streams = new MeshStreams({
    deps: {
      self: credentials.key.id,
      network: credentials.certificate.network,
      credentials: () => credentials,
      session: () => undefined,
      authorize: () => {},
      now: () => Date.now(),
    },
    gate: new PolicyGate({ self: credentials.key.id, addresses: () => [], log: () => {} }),
    choose: answer("drawn"),
    best: answer("best"),
    local: () => Promise.reject(new Error("not to itself")),
    log: () => {},
  });
  return { streams, asked };
}

const destination = "f".repeat(32);

for (const [protocol, how] of [["tcp", "drawn"], ["udp", "drawn"], ["ca.renew", "best"]] as const) {
  Deno.test(`a path for ${protocol} is ${how}, again for each that failed, three times`, async () => {
    const { streams, asked } = await streamsOfNobody();
    await assert.rejects(streams.open({ destination, protocol, port: 1 }), {
      code: "STREAM_NO_LINK",
    });
    assert.deepEqual(asked, [0, 1, 2].map((avoided) => ({ how, avoided })));
  });
}
