import assert from "node:assert/strict";
import { PulseError } from "../errors/mod.ts";
import { encodeInvite } from "../identity/mod.ts";
import { joinPlan } from "./join_plan.ts";

const wish = { join: null, token: null, network: "pulse", networkGiven: false };
const invite = {
  network: "corp",
  relays: ["relay.example.com:443"],
  token: "t".repeat(64),
  caFingerprint: "f".repeat(64),
};

Deno.test("an invite brings relay, network, token and the CA's fingerprint; a token given wins", () => {
  const join = encodeInvite(invite);
  assert.deepEqual(joinPlan({ ...wish, join }), invite);
  assert.equal(joinPlan({ ...wish, join, token: "u".repeat(64) })?.token, "u".repeat(64));
});

Deno.test("a relay's address needs a token, and an invite of another network than the one named is refused", () => {
  const code = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      return error instanceof PulseError ? error.code : String(error);
    }
    return "none";
  };
  assert.equal(code(() => joinPlan({ ...wish, join: "relay:443" })), "JOIN_TOKEN_MISSING");
  assert.equal(
    code(() => joinPlan({ ...wish, join: encodeInvite(invite), networkGiven: true })),
    "JOIN_NETWORK",
  );
  assert.deepEqual(joinPlan({ ...wish, join: "relay:443", token: "secret-enough-16" }), {
    relays: ["relay:443"],
    network: "pulse",
    token: "secret-enough-16",
  });
  assert.equal(joinPlan(wish), null);
});
