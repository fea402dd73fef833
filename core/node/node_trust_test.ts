import assert from "node:assert/strict";
import type { TestCa } from "../identity/testing.ts";
import type { Credentials } from "../identity/types.ts";
import { newCa, testNetwork, writeRoll } from "../trust/testing.ts";
import type { Node } from "./node.ts";
import type { NodeOptions } from "./node_options.ts";
import { rollState } from "./roll_state.ts";
import { startTestNode, until } from "./testing.ts";

const carriers = [{ websocket: false }, { quic: false }] as const;

/** What a node renews with under another CA. */
async function renewedBy(ca: TestCa, { key }: Credentials): Promise<Credentials> {
  return await ca.issue({ key, network: testNetwork });
}

async function startAt(
  stack: AsyncDisposableStack,
  credentials: Credentials,
  door: Node | undefined,
  options: Partial<NodeOptions> = {},
) {
  const peers = door === undefined ? [] : [door.listeners.address];
  return stack.use(await startTestNode(credentials, { peers, ...options }));
}

for (const carrier of carriers) {
  const name = "quic" in carrier ? "WebSocket" : "QUIC";

  Deno.test(`a roll over ${name}: no link ends, old and new certificates meet, and then the old ones are refused`, async () => {
    await using stack = new AsyncDisposableStack();
    const [old, next] = [await newCa(), await newCa()];
    const issued = [await old.issue(), await old.issue(), await old.issue()] as const;
    const { node: relay } = await startAt(stack, issued[0], undefined);
    const { node: a } = await startAt(stack, issued[1], relay, carrier);
    const b = await startAt(stack, issued[2], relay, carrier);
    const links = [a, b.node].map((node) => () => node.link(relay.id)?.session);
    const before = await Promise.all(links.map((link) => until("a link", link)));
    const unharmed = () => links.forEach((link, i) => assert.ok(link() === before[i]));

    a.trust.adopt(writeRoll(old, next, 1));
    for (const node of [relay, b.node]) {
      await until("the roll", () => node.trust.roll?.roll.stage === "overlap");
    }
    await relay.renew(await renewedBy(next, issued[0]));
    await a.renew(await renewedBy(next, issued[1]));
    await until(
      "the new certificate in gossip",
      () => b.node.record(a.id)?.certificate.issuer === next.anchor.fingerprint,
    );
    // Who comes now with a certificate of either CA gets in, on this carrier and past a relay that has renewed.
    for (const ca of [old, next]) {
      const comer = await startAt(stack, await ca.issue(), relay, {
        ...carrier,
        ...(ca === next ? {} : { trust: { stored: writeRoll(old, next, 1), save: saveNowhere } }),
      });
      await until("a newcomer's link", () => comer.node.link(relay.id));
    }
    unharmed();

    relay.trust.adopt(writeRoll(old, next, 2, "finished"));
    for (const node of [a, b.node]) {
      await until("the end of the roll", () => node.trust.roll?.roll.stage === "finished");
    }
    unharmed();
    const late = await startAt(stack, await old.issue(), relay, {
      ...carrier,
      trust: { stored: writeRoll(old, next, 1), save: saveNowhere },
    });
    await until(
      "a refusal that says why",
      () => [...late.node.dialFailures.values()].some((why) => /retired|CERT_RETIRED/.test(why)),
    );
    const member = await startAt(stack, await next.issue(), relay, carrier);
    await until("a member of the new CA", () => member.node.link(relay.id));
    await until("word of the roll", () => member.node.trust.roll?.roll.serial === 2);
  });
}

Deno.test("a node that slept through the beginning of a roll learns of it at the door, whoever of the two dials", async () => {
  for (const direction of ["it dials", "it is dialled"]) {
    await using stack = new AsyncDisposableStack();
    const [old, next] = [await newCa(), await newCa()];
    const rolled = { stored: writeRoll(old, next, 1), save: saveNowhere };
    const [sleeping, awake] = [await old.issue(), await next.issue()];
    const [first, second] = direction === "it dials"
      ? [await startAt(stack, awake, undefined, { trust: rolled }), sleeping]
      : [await startAt(stack, sleeping, undefined), awake];
    const { node } = await startAt(stack, second, first.node, {
      ...(second === awake ? { trust: rolled } : {}),
    });
    await until(`a link when ${direction}`, () => node.link(first.node.id));
    for (const each of [node, first.node]) assert.equal(each.trust.roll?.roll.serial, 1);
  }
});

Deno.test("a node that slept through a whole roll learns at the door that its certificate counts for nothing", async () => {
  await using stack = new AsyncDisposableStack();
  const [old, next] = [await newCa(), await newCa()];
  const finished = { stored: writeRoll(old, next, 2, "finished"), save: saveNowhere };
  const door = await startAt(stack, await next.issue(), undefined, { trust: finished });
  const { node } = await startAt(stack, await old.issue(), door.node);
  await until("word of it", () => node.trust.roll?.roll.stage === "finished");
  assert.equal(rollState(node), "retired");
  assert.equal(node.link(door.node.id), undefined);
  // Two rolls later nothing can be proven to it any more.
  const third = await newCa();
  const later = { stored: writeRoll(next, third, 3), save: saveNowhere };
  const far = await startAt(stack, await third.issue(), undefined, { trust: later });
  const lost = await startAt(stack, await old.issue(), far.node);
  await until(
    "the reason",
    () => [...lost.node.dialFailures.values()].some((why) => /CA was rolled while/.test(why)),
  );
  assert.equal(lost.node.trust.roll, null);
});

const saveNowhere = () => Promise.resolve();

Deno.test("the last word is kept, and a forged one is refused and told in the log", async () => {
  await using stack = new AsyncDisposableStack();
  const [old, next, stranger] = [await newCa(), await newCa(), await newCa()];
  const saved: Uint8Array[] = [];
  const { node: relay, lines } = await startAt(stack, await old.issue(), undefined, {
    trust: { stored: undefined, save: (bytes) => Promise.resolve(void saved.push(bytes)) },
  });
  relay.trust.adopt(writeRoll(old, next, 1));
  await until("the file", () => saved.length === 1);
  // A member that believes another CA next: it has the old CA's word for it, forged.
  const liar = await startAt(stack, await old.issue(), relay, {
    trust: { stored: writeRoll(old, stranger, 5), save: saveNowhere },
  });
  assert.equal(liar.node.trust.roll?.roll.serial, 5);
  await until("a refusal in the log", () => lines.some((line) => line.includes("TRUST_FOREIGN")));
  assert.throws(() => relay.trust.adopt(writeRoll(old, stranger, 5)), { code: "TRUST_FOREIGN" });
  assert.equal(relay.trust.newest.fingerprint, next.anchor.fingerprint);
  assert.deepEqual(saved, [writeRoll(old, next, 1)]);
});
