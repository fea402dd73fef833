import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { makeHostServices } from "./host_services.ts";
import type { Node } from "./node.ts";
import { startTestNode } from "./testing.ts";

Deno.test("plugins are told the network that the certificate names, and the configured one before there is any", async () => {
  const credentials = await (await createTestCa("corp")).issue();
  const { id } = credentials.key;
  let node: Node | undefined;
  const services = makeHostServices({
    id,
    network: "pulse",
    node: () => node,
    call: () => Promise.resolve(null),
    emit: () => {},
  });
  const nothing = { id, network: "pulse", addresses: [], joined: false };
  assert.deepEqual(await services.self(), nothing);
  await assert.rejects(services.resolveNode("x"), { code: "NODE_NOT_JOINED" });
  await using running = await startTestNode(credentials);
  node = running.node;
  assert.deepEqual(await services.self(), { ...nothing, network: "corp", joined: true });
});
