import assert from "node:assert/strict";
import { clockToleranceMs, CommandGuard, maxRemembered } from "./guard.ts";
import type { CommandMessage } from "./message.ts";

const [self, other, scribe] = ["1", "2", "5"].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
];
const now = 1_800_000_000_000;
const sender = { origin: scribe, scribe, now };

function command(changes: Partial<CommandMessage> = {}): CommandMessage {
  return {
    network: "corp",
    target: self,
    nonce: "ab".repeat(16),
    issuedAt: now,
    command: { kind: "restart" },
    ...changes,
  };
}

Deno.test("a command of the scribe for this node is admitted once", () => {
  const guard = new CommandGuard(self, "corp");
  guard.admit(command(), sender);
  assert.throws(() => guard.admit(command(), sender), { code: "REMOTE_COMMAND_REPLAYED" });
  guard.admit(command({ nonce: "cd".repeat(16) }), sender);
});

Deno.test("a command that somebody replays to another node is refused there", () => {
  assert.throws(() => new CommandGuard(other, "corp").admit(command(), sender), {
    code: "REMOTE_COMMAND_DENIED",
  });
});

Deno.test("a command of another network is refused", () => {
  assert.throws(() => new CommandGuard(self, "home").admit(command(), sender), {
    code: "REMOTE_COMMAND_DENIED",
  });
});

Deno.test("nobody but the granted scribe is obeyed, and nobody at all while there is none", () => {
  const guard = new CommandGuard(self, "corp");
  const denied = { code: "REMOTE_COMMAND_DENIED" };
  assert.throws(() => guard.admit(command(), { ...sender, origin: other }), denied);
  assert.throws(() => guard.admit(command(), { ...sender, scribe: other }), denied);
  assert.throws(() => guard.admit(command(), { ...sender, scribe: null }), denied);
});

Deno.test("a refused command uses no nonce up", () => {
  const guard = new CommandGuard(self, "corp");
  assert.throws(() => guard.admit(command(), { ...sender, origin: other }));
  guard.admit(command(), sender);
});

Deno.test("a command from too long ago or from the future is refused", () => {
  const guard = new CommandGuard(self, "corp");
  for (const shift of [-clockToleranceMs - 1, clockToleranceMs + 1, NaN, Infinity]) {
    assert.throws(() => guard.admit(command({ issuedAt: now + shift }), sender), {
      code: "REMOTE_COMMAND_REPLAYED",
    });
  }
  guard.admit(command({ issuedAt: now - clockToleranceMs }), sender);
});

Deno.test("what is remembered is bounded, and forgotten only when it is too old to be admitted again", () => {
  const guard = new CommandGuard(self, "corp");
  const nth = (n: number) => command({ nonce: n.toString(16).padStart(32, "0") });
  for (let n = 0; n < maxRemembered; n++) guard.admit(nth(n), sender);
  assert.throws(() => guard.admit(nth(maxRemembered), sender), { code: "REMOTE_COMMAND_LIMIT" });
  const later = { ...sender, now: now + clockToleranceMs + 1 };
  assert.throws(() => guard.admit(nth(0), later), { code: "REMOTE_COMMAND_REPLAYED" });
  guard.admit({ ...nth(maxRemembered), issuedAt: later.now }, later);
});
