import assert from "node:assert/strict";
import { openTestDesk, type TestDesk, testNetwork } from "../../plugins/ca/testing.ts";
import { PulseError } from "../errors/mod.ts";
import { channelPair } from "../identity/channel_testing.ts";
import { generateJoinToken, generateNodeKey, validateCertificate } from "../identity/mod.ts";
import { joinThroughRelays, type OpenConversation } from "./join_network.ts";

/** Relays named `dead` refuse, `mute` never answer, all others lead to the CA. */
function relaysTo(desk: TestDesk) {
  const opened: string[] = [];
  const serving: Promise<void>[] = [];
  const open: OpenConversation = ({ host, signal }) => {
    opened.push(host);
    if (host === "dead") return Promise.reject(new Error("connection refused"));
    if (host === "mute") {
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true })
      );
    }
    const [node, ca] = channelPair(`${host}:1`);
    serving.push(desk.desk.serve(ca).finally(() => ca.close()));
    return Promise.resolve({
      ...node,
      [Symbol.asyncDispose]: () => {
        node.close();
        return Promise.resolve();
      },
    });
  };
  return { opened, open, served: () => Promise.all(serving) };
}

const never = new AbortController().signal;

Deno.test("a relay that does not work is passed over and the next one joins", async () => {
  await using desk = await openTestDesk();
  const relays = relaysTo(desk);
  const key = generateNodeKey();
  const result = await joinThroughRelays({
    relays: ["dead:1", "good:2", "other:3"],
    network: testNetwork,
    token: desk.token(),
    caFingerprint: desk.authority.anchor.fingerprint,
    key,
    signal: never,
    open: relays.open,
  });
  await relays.served();
  assert.deepEqual(relays.opened, ["dead", "good"]);
  assert.equal(result.anchorPem, desk.authority.anchor.pem);
  const { id } = validateCertificate(
    Uint8Array.fromBase64(result.certificatePem.replace(/-----[^-]+-----/g, "")),
    desk.authority.anchor,
    { now: Date.now(), network: testNetwork, expect: key.id },
  );
  assert.equal(id, key.id);
});

Deno.test("when every relay fails the error says what happened at each", async () => {
  await using desk = await openTestDesk();
  const relays = relaysTo(desk);
  await assert.rejects(
    joinThroughRelays({
      relays: ["dead:1", "[::1]:2"],
      network: testNetwork,
      token: generateJoinToken(),
      key: generateNodeKey(),
      signal: never,
      open: relays.open,
    }),
    (error) => {
      assert.ok(error instanceof PulseError);
      assert.equal(error.code, "JOIN_FAILED");
      assert.match(error.message, /dead:1: connection refused; \[::1\]:2: .*token/);
      return true;
    },
  );
  await relays.served();
});

Deno.test("the CA's own refusal ends the search", async () => {
  await using desk = await openTestDesk();
  const relays = relaysTo(desk);
  const token = desk.token({ expiresAt: Date.now() - 1_000 });
  await assert.rejects(
    joinThroughRelays({
      relays: ["good:1", "other:2"],
      network: testNetwork,
      token,
      key: generateNodeKey(),
      signal: never,
      open: relays.open,
    }),
    { code: "JOIN_REFUSED" },
  );
  await relays.served();
  assert.deepEqual(relays.opened, ["good"]);
});

Deno.test("the caller's signal ends a relay that never answers, and tries no further one", async () => {
  await using desk = await openTestDesk();
  const relays = relaysTo(desk);
  const abort = new AbortController();
  const joining = joinThroughRelays({
    relays: ["mute:1", "good:2"],
    network: testNetwork,
    token: desk.token(),
    key: generateNodeKey(),
    signal: abort.signal,
    open: relays.open,
  });
  abort.abort(new Error("stopped"));
  await assert.rejects(joining, { message: "stopped" });
  assert.deepEqual(relays.opened, ["mute"]);
});
