import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { makeHostServices } from "./host_services.ts";
import type { Node } from "./node.ts";
import { startTestNode } from "./testing.ts";

Deno.test("plugins are told the network that the certificate names, and the configured one before there is any", async () => {
  const credentials = await (await createTestCa("corp")).issue();
  const { id } = credentials.key;
  const joined: { node?: Node } = {};
  const services = makeHostServices({
    id,
    network: "pulse",
    node: () => joined.node,
    call: () => Promise.resolve(null),
    emit: () => {},
  });
  const nothing = { id, network: "pulse", addresses: [], joined: false, caFingerprint: null };
  assert.deepEqual(await services.self(), nothing);
  await assert.rejects(services.resolveNode("x"), { code: "NODE_NOT_JOINED" });
  await using running = await startTestNode(credentials);
  joined.node = running.node;
  assert.deepEqual(await services.self(), {
    ...nothing,
    network: "corp",
    joined: true,
    caFingerprint: credentials.anchor.fingerprint,
  });
});
