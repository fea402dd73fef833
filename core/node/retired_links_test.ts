import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { RetiredLinks } from "./retired_links.ts";
import { until } from "./testing.ts";

Deno.test("peers that have shown only a retired CA's certificate are cut off after the grace, others stay", async () => {
  const [old, next] = [await createTestCa("corp"), await createTestCa("corp")];
  const issued = async (ca: typeof old) => (await ca.issue()).certificate;
  const [behind, renewed, fresh] = [await issued(old), await issued(old), await issued(next)];
  const dropped: string[] = [];
  using links = new RetiredLinks({
    trust: () => ({ anchors: [next.anchor], retired: [old.anchor] }),
    linked: () => [behind, renewed, fresh].map((shown) => ({ peer: shown.id, shown })),
    current: (peer) => peer === renewed.id ? fresh : undefined,
    drop: (peer) => dropped.push(peer),
  }, 5);
  links.schedule();
  links.schedule();
  assert.deepEqual(dropped, []);
  await until("the end of the grace", () => dropped.length > 0);
  assert.deepEqual(dropped, [behind.id]);
});
