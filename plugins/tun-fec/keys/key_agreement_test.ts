import assert from "node:assert/strict";
import fc from "fast-check";
import {
  defaultKeyTimes,
  type DirectionKey,
  type KeyAction,
  KeyAgreement,
  offersKeys,
  sealedAtMost,
  sealedBeforeRekey,
} from "./key_agreement.ts";
import { type CipherName, ciphers, decodeKeyMessage, encodeKeyMessage } from "./key_message.ts";

const { rekeyMs, expireMs, lingerMs, retryMs } = defaultKeyTimes;

/** One end, with what a data plane would hold for it. */
class End {
  readonly agreement: KeyAgreement;
  readonly receives = new Map<number, DirectionKey>();
  readonly outbox: Uint8Array[] = [];
  /** Every key this end was ever told to seal with. */
  readonly sealed: DirectionKey[] = [];
  seals: DirectionKey | undefined;
  silence: string | undefined;

  constructor(initiator: boolean, seed: number, choice: readonly CipherName[] = ciphers) {
    let drawn = 0;
    const secret = () => {
      drawn++;
      return Uint8Array.from({ length: 32 }, (_, i) => seed + drawn * 31 + i);
    };
    let index = seed * 1000;
    this.agreement = new KeyAgreement({
      initiator,
      ciphers: choice,
      secret,
      receiver: () => ++index,
    });
  }

  run(actions: readonly KeyAction[]): void {
    for (const action of actions) {
      if (action.do === "send") this.outbox.push(action.message);
      else if (action.do === "receive") this.receives.set(action.key.epoch, action.key);
      else if (action.do === "forget") this.receives.delete(action.epoch);
      else if (action.do === "silence") {
        this.seals = undefined;
        this.silence = action.reason;
      } else {
        this.seals = action.key;
        this.sealed.push(action.key);
      }
    }
  }

  /** Whether this end could open a segment sealed so. */
  opens(key: DirectionKey): boolean {
    const held = [...this.receives.values()].find(({ receiver }) => receiver === key.receiver);
    return held !== undefined && held.key.toHex() === key.key.toHex() && held.cipher === key.cipher;
  }
}

/** Messages and segments go both ways until nothing is left to say. */
function settle(a: End, b: End, now: number): void {
  while (a.outbox.length + b.outbox.length > 0) {
    for (const [from, to] of [[a, b], [b, a]] as const) {
      for (const message of from.outbox.splice(0)) to.run(to.agreement.receive(message, now));
    }
  }
  for (const [from, to] of [[a, b], [b, a]] as const) {
    if (from.seals === undefined) continue;
    assert.ok(to.opens(from.seals), "sealed with a key the other end does not have");
    to.run(to.agreement.heard(from.seals.epoch, now));
  }
}

function pair(): readonly [End, End] {
  const [a, b] = [new End(true, 1), new End(false, 2)];
  a.run(a.agreement.connected(0));
  b.run(b.agreement.connected(0));
  settle(a, b, 0);
  return [a, b];
}

Deno.test("two ends come to keys, one for each direction", () => {
  const [a, b] = pair();
  assert.ok(a.opens(b.seals!) && b.opens(a.seals!));
  assert.notEqual(a.seals!.key.toHex(), b.seals!.key.toHex());
  assert.equal(a.seals!.cipher, "aes-128-gcm");
  assert.ok(offersKeys("a", "b") && !offersKeys("b", "a"));
});

Deno.test("keys are replaced by time and by volume, and at no moment is one sealed with that the other end lacks", () => {
  const [a, b] = pair();
  for (const [now, sealed] of [[rekeyMs, 0], [rekeyMs + 1000, sealedBeforeRekey]] as const) {
    const before = a.seals!;
    a.run(a.agreement.tick(now, sealed));
    // The offer is out: nothing has changed for anybody yet.
    assert.equal(a.seals, before);
    for (const message of a.outbox.splice(0)) b.run(b.agreement.receive(message, now));
    // The responder receives under the new key, and goes on with the old one until it hears the new one.
    assert.ok(a.opens(b.seals!) && b.opens(before));
    for (const message of b.outbox.splice(0)) a.run(a.agreement.receive(message, now));
    assert.ok(b.opens(a.seals!) && a.opens(b.seals!));
    assert.notEqual(a.seals!.key.toHex(), before.key.toHex());
    settle(a, b, now);
    assert.equal(a.agreement.epoch, b.agreement.epoch);
  }
});

Deno.test("what was sealed before the change is still opened for a while, then no more", () => {
  const [a, b] = pair();
  const old = a.seals!;
  a.run(a.agreement.tick(rekeyMs, 0));
  settle(a, b, rekeyMs);
  b.run(b.agreement.tick(rekeyMs + lingerMs - 1, 0));
  assert.ok(b.opens(old));
  b.run(b.agreement.tick(rekeyMs + lingerMs, 0));
  assert.ok(!b.opens(old));
});

Deno.test("without a channel a key is used until it expires and not a moment longer", () => {
  for (const [now, sealed] of [[expireMs, 0], [1000, sealedAtMost]] as const) {
    const [a, b] = pair();
    for (const end of [a, b]) {
      end.agreement.disconnected();
      end.run(end.agreement.tick(Math.min(now, expireMs) - 1, Math.max(0, sealed - 1)));
      assert.ok(end.seals);
      end.run(end.agreement.tick(now, sealed));
      assert.equal(end.seals, undefined);
      assert.match(end.silence!, /expired/);
    }
    a.run(a.agreement.connected(now));
    settle(a, b, now);
    assert.ok(a.opens(b.seals!) && b.opens(a.seals!));
  }
});

Deno.test("an offer without an answer is made again, with another secret", () => {
  const [a] = pair();
  a.run(a.agreement.tick(rekeyMs, 0));
  a.run(a.agreement.tick(rekeyMs + retryMs - 1, 0));
  assert.equal(a.outbox.length, 1);
  a.run(a.agreement.tick(rekeyMs + retryMs, 0));
  const [first, second] = a.outbox.map(decodeKeyMessage);
  assert.notDeepEqual(first, second);
  // An answer to the first is no answer any more.
  const late = ["answer", first![1], 7, new Uint8Array(32), "aes-128-gcm"] as const;
  assert.deepEqual(a.agreement.receive(encodeKeyMessage([...late]), rekeyMs + retryMs), []);
});

Deno.test("an end that restarted gets new keys at once, though it counts from one again", () => {
  const [a, b] = pair();
  const fresh = new End(true, 9);
  fresh.run(fresh.agreement.connected(50));
  settle(fresh, b, 50);
  assert.ok(fresh.opens(b.seals!) && b.opens(fresh.seals!));
  assert.ok(!b.opens(a.seals!));
  const responder = new End(false, 12);
  fresh.run(fresh.agreement.connected(60));
  settle(fresh, responder, 60);
  assert.ok(fresh.opens(responder.seals!) && responder.opens(fresh.seals!));
});

Deno.test("ends without a common cipher say so and seal nothing; the responder's taste decides", () => {
  const ends = (mine: CipherName[], theirs: CipherName[]) => {
    const [a, b] = [new End(true, 1, mine), new End(false, 2, theirs)];
    a.run(a.agreement.connected(0));
    for (const message of a.outbox.splice(0)) b.run(b.agreement.receive(message, 0));
    for (const message of b.outbox.splice(0)) a.run(a.agreement.receive(message, 0));
    return [a, b] as const;
  };
  const [a, b] = ends(["aes-128-gcm"], ["chacha20-poly1305"]);
  assert.deepEqual([a.seals, b.seals], [undefined, undefined]);
  const [c] = ends(["aes-128-gcm", "chacha20-poly1305"], ["chacha20-poly1305", "aes-128-gcm"]);
  assert.equal(c.seals!.cipher, "chacha20-poly1305");
  assert.equal(c.seals!.key.length, 32);
});

Deno.test("the responder does not take offers the initiator should make, nor a cipher nobody offered", () => {
  const [a] = pair();
  const offer = encodeKeyMessage(["offer", 5, 5, new Uint8Array(32), [...ciphers]]);
  const [refusal] = a.agreement.receive(offer, 0);
  assert.ok(refusal?.do === "send");
  assert.equal(decodeKeyMessage(refusal.message)[0], "refuse");
});

Deno.test("no key is ever made twice, over any course of ticks, losses and restarts of the channel", () => {
  const step = fc.constantFrom("tick", "late tick", "deliver", "lose", "reconnect", "traffic");
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const [a, b] = pair();
    let now = 0;
    for (const what of steps) {
      now += what === "late tick" ? rekeyMs : 1_000;
      if (what === "reconnect") {
        for (const end of [a, b]) {
          end.outbox.length = 0;
          end.agreement.disconnected();
          end.run(end.agreement.connected(now));
        }
      } else if (what === "lose") {
        // A channel that loses something is gone.
        for (const end of [a, b]) {
          end.outbox.length = 0;
          end.agreement.disconnected();
        }
      } else if (what === "deliver") settle(a, b, now);
      else if (what === "traffic") {
        for (const [from, to] of [[a, b], [b, a]] as const) {
          if (from.seals === undefined) continue;
          assert.ok(to.opens(from.seals) || now >= lingerMs);
          if (to.opens(from.seals)) to.run(to.agreement.heard(from.seals.epoch, now));
        }
      } else for (const end of [a, b]) end.run(end.agreement.tick(now, 0));
      for (const end of [a, b]) assert.ok(end.receives.size <= 64);
    }
    const keys = [...a.sealed, ...b.sealed].map(({ key }) => key.toHex());
    assert.equal(new Set(keys).size, keys.length, "one key sealed with twice");
  }));
});

Deno.test("no bytes make a key message anything but read or refused", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    try {
      decodeKeyMessage(bytes);
    } catch (error) {
      assert.equal((error as { code: string }).code, "KEY_MESSAGE_INVALID");
    }
  }));
});
