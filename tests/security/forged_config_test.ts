import assert from "node:assert/strict";
import { makeRecord, recordsMessage } from "../../core/gossip/testing.ts";
import type { Credentials } from "../../core/identity/types.ts";
import { emptyBody } from "../../core/netconfig/empty_body.ts";
import { decodeExchange, encodeExchange } from "../../core/netconfig/exchange_message.ts";
import { type SignedGrant, signGrant } from "../../core/netconfig/grant.ts";
import { maxCounter } from "../../core/netconfig/limits.ts";
import { sealPublicKey } from "../../core/netconfig/seal.ts";
import {
  testAuthority,
  testSealPrivate,
  writeConfig,
  type Written,
} from "../../core/netconfig/testing.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import { controlKind } from "../../core/node/control_channel.ts";
import type { Node } from "../../core/node/node.ts";
import { until } from "../../core/node/testing.ts";
import { rule } from "../../core/policy/testing.ts";
import { Member } from "./fixtures/member.ts";
import { RogueControl } from "./fixtures/rogue_control.ts";
import { createScene, type Scene } from "./fixtures/scene.ts";
import { type TransportName, transports } from "./fixtures/transports.ts";

/** What somebody would like the network to believe: it lets everybody out but the forger. */
const wish: Partial<ConfigBody> = { acls: [rule("deny", "*", "*")] };

interface Stage extends AsyncDisposable {
  readonly scene: Scene;
  readonly grant: SignedGrant;
  /** The scribe's next version, in force at the victim. */
  publish(note: string): Promise<Written>;
}

/** A real node as scribe, linked to the victim. */
async function setStage(transport: TransportName): Promise<Stage> {
  const authority = await testAuthority();
  const scene = await createScene(transport, { ca: authority.ca });
  const { friend: scribe, victim } = scene;
  const grant = authority.grant(1, scribe.id);
  scribe.networkConfig.adoptGrant(grant.bytes);
  let version = 0;
  return {
    scene,
    grant,
    async publish(note) {
      const expect = { epoch: Math.min(version, 1), version };
      await scribe.networkConfig.publish({ body: emptyBody, note, expect });
      version++;
      const { bytes, document } = await until(
        `version ${version} at the victim`,
        () => {
          const { config } = victim.networkConfig.state;
          return config?.document.version === version && config;
        },
      );
      assert.equal(document.note, note);
      return { bytes: bytes.slice(), hash: victim.networkConfig.state.config!.hash };
    },
    [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose](),
  };
}

interface Lie {
  readonly grant: Uint8Array;
  readonly epoch: number;
  readonly version: number;
  readonly written: Written;
  /** It looks new enough to be read before it is judged. */
  readonly tempting: boolean;
}

/** A member tells the victim of a config, and hands it over, asked or not. */
async function tell(scene: Scene, credentials: Credentials, lie: Lie): Promise<void> {
  await using member = await Member.create(credentials, scene.transport);
  const control = await RogueControl.open(await member.dial(scene.address, scene.victim.id));
  let sequence = Math.round(performance.now() * 1_000);
  /** Says something true; when that has arrived, everything before it has been judged. */
  const settle = async () => {
    const own = ++sequence;
    await control.gossip(recordsMessage([makeRecord(credentials, { sequence: own })]));
    await until("the member's record", () => scene.victim.record(member.id)?.sequence === own);
  };
  const { bytes, hash } = lie.written;
  const position = { epoch: lie.epoch, version: lie.version };
  const announcement = { type: "announce", grant: lie.grant, position, hash, length: bytes.length };
  await control.send(
    controlKind.networkConfig,
    encodeExchange({ ...announcement, type: "announce" }),
  );
  if (lie.tempting) {
    await until("the victim's question", () =>
      control.heardConfig.some((bytes) => {
        const message = decodeExchange(bytes);
        return message?.type === "ask" && message.hash === hash;
      }));
  } else await settle();
  const piece = encodeExchange({ type: "chunk", hash, offset: 0, bytes });
  await control.send(controlKind.networkConfig, piece);
  await settle();
}

const positionOf = (node: Node) => {
  const { config, grant } = node.networkConfig.state;
  return [config?.hash, grant?.grant.epoch, grant?.grant.scribe];
};

for (const transport of transports) {
  Deno.test(`over ${transport}, a network config that is not the granted scribe's is refused, whoever brings it and however new it says it is`, async () => {
    await using stage = await setStage(transport);
    const { scene, grant } = stage;
    const { friend: scribe, victim } = scene;
    const old = await stage.publish("first");
    const current = await stage.publish("second");
    const before = positionOf(victim);
    const forger = await scene.ca.issue();
    const foreign = await testAuthority();
    const ownGrant = {
      network: grant.grant.network,
      epoch: 9,
      scribe: forger.key.id,
      sealKey: sealPublicKey(testSealPrivate).toHex(),
      issuedAt: 1_000,
      base: null,
    };
    const selfMade = (sign: (message: Uint8Array) => Uint8Array): SignedGrant => ({
      ...grant,
      grant: ownGrant,
      bytes: signGrant(ownGrant, sign),
    });
    const under = (used: SignedGrant, version: number, written: Written): Lie => ({
      grant: used.bytes,
      epoch: used.grant.epoch,
      version,
      written,
      tempting: used === grant && version > 2 && written !== current,
    });
    const signedByItself = selfMade((message) => forger.key.sign(message));
    const byAnotherCa = selfMade((message) => foreign.ca.key.sign(message));
    const flipped = current.bytes.slice();
    flipped[flipped.length >> 1]! ^= 1;
    const elsewhere = (await testAuthority("home")).grant(9, forger.key.id);
    const last = maxCounter;
    const lies: Readonly<Record<string, Lie>> = {
      "a member under the scribe's grant": under(
        grant,
        99,
        writeConfig(forger, grant, 99, { body: wish }),
      ),
      "a member with the scribe's certificate": under(
        grant,
        99,
        writeConfig(forger, grant, 99, {
          body: wish,
          certificate: scribe.credentials.certificate,
          document: { author: scribe.id },
        }),
      ),
      "a grant the member has given itself": under(
        signedByItself,
        1,
        writeConfig(forger, signedByItself, 1, { body: wish }),
      ),
      "a grant of another CA": under(
        byAnotherCa,
        1,
        writeConfig(forger, byAnotherCa, 1, { body: wish }),
      ),
      "a grant of another network": under(
        elsewhere,
        1,
        writeConfig(forger, elsewhere, 1, { body: wish }),
      ),
      "the scribe's own, changed": under(grant, 3, { hash: "ab".repeat(32), bytes: flipped }),
      "the scribe's own under a higher number": under(grant, 77, current),
      "an older one of the scribe": under(grant, 1, old),
      "the last number there is": under(
        grant,
        last,
        writeConfig(forger, grant, last, { body: wish }),
      ),
    };
    for (const [what, lie] of Object.entries(lies)) {
      await tell(scene, forger, lie);
      assert.deepEqual(positionOf(victim), before, what);
    }
    assert.equal(Object.values(lies).filter(({ tempting }) => tempting).length, 4);
    assert.ok(victim.networkConfig.state.refused !== null);
    // The true one is not kept out by any of that.
    await stage.publish("third");
    assert.deepEqual(victim.networkConfig.body, emptyBody);
  });
}
