import assert from "node:assert/strict";
import { createTestCa } from "../identity/testing.ts";
import { LinkRefusedError } from "../sessions/errors.ts";
import { SessionCloseCode } from "../sessions/types.ts";
import { StreamError } from "../streams/mod.ts";
import { Admission, maxLinks } from "./admission.ts";

const self = "0".repeat(32);
const refusal = (code: number) => (error: unknown) =>
  error instanceof LinkRefusedError && error.closeCode === code;

Deno.test("oneself, a revoked node and one too many are refused, each with its code", async () => {
  const ca = await createTestCa();
  const peer = (await ca.issue()).certificate;
  const linked: string[] = [];
  const admission = new Admission({ self, linked: () => linked });
  admission.admit(peer);
  assert.throws(() => admission.admit({ ...peer, id: self }), refusal(SessionCloseCode.self));
  linked.push(...Array.from({ length: maxLinks }, (_, n) => n.toString(16).padStart(32, "a")));
  assert.throws(() => admission.admit(peer), refusal(SessionCloseCode.overLimit));
  linked[0] = peer.id;
  admission.admit(peer);
  admission.setRevoked([peer.id]);
  assert.throws(() => admission.admit(peer), refusal(SessionCloseCode.revoked));
  admission.setRevoked([]);
  admission.admit(peer);
});

Deno.test("a revoked node anywhere on the path stops the stream", () => {
  const [a, b, c] = ["1", "2", "3"].map((digit) => digit.repeat(32)) as [string, string, string];
  const admission = new Admission({ self, linked: () => [] });
  const header = { path: [a, self, b], position: 1, protocol: "tcp", port: 22 };
  admission.authorize(header);
  admission.setRevoked([c]);
  admission.authorize(header);
  admission.setRevoked([b]);
  assert.throws(() => admission.authorize(header), StreamError);
});
