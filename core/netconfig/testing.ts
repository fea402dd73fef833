import { createTestCa, type TestCa } from "../identity/testing.ts";
import type { Credentials, NodeId } from "../identity/types.ts";
import { ConfigStore } from "./config_store.ts";
import { documentHash, encodeDocument } from "./document.ts";
import { emptyBody } from "./empty_body.ts";
import { type SignedGrant, signGrant, verifyGrant } from "./grant.ts";
import { sealPublicKey } from "./seal.ts";
import { signConfig } from "./signed_config.ts";
import type { ConfigBody, ConfigDocument, ScribeGrant } from "./types.ts";

/** Support for tests only: a CA that grants, scribes that sign, and what nobody should be able to sign. */

export const testNetwork = "corp";

export interface TestAuthority {
  readonly ca: TestCa;
  issue(): Promise<Credentials>;
  grant(epoch: number, scribe: NodeId | null, base?: ScribeGrant["base"]): SignedGrant;
  store(self: NodeId): ConfigStore;
}

/** The private half of the key the CA's grants name. */
export const testSealPrivate: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(7);

export async function testAuthority(network = testNetwork): Promise<TestAuthority> {
  const ca = await createTestCa(network);
  const trust = { network, anchors: [ca.anchor] };
  return {
    ca,
    issue: () => ca.issue(),
    grant: (epoch, scribe, base = null) =>
      verifyGrant(
        signGrant({
          network,
          epoch,
          scribe,
          sealKey: sealPublicKey(testSealPrivate).toHex(),
          issuedAt: 1_000,
          base,
        }, (message) => ca.key.sign(message)),
        trust,
      ),
    store: (self) => new ConfigStore({ self, trust: () => trust }),
  };
}

export interface Written {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: string;
}

/** A config signed by whoever; everything left out is as its author would write it. */
export function writeConfig(
  author: Credentials,
  grant: SignedGrant,
  version: number,
  options: {
    readonly body?: Partial<ConfigBody>;
    readonly document?: Partial<ConfigDocument>;
    readonly certificate?: Credentials["certificate"];
    readonly note?: string;
  } = {},
): Written {
  const document = encodeDocument({
    network: grant.grant.network,
    epoch: grant.grant.epoch,
    version,
    parent: null,
    author: author.key.id,
    createdAt: 2_000,
    note: options.note ?? "",
    body: { ...emptyBody, ...options.body },
    ...options.document,
  });
  return {
    hash: documentHash(document),
    bytes: signConfig({
      grant,
      certificate: options.certificate ?? author.certificate,
      document,
      sign: (message) => author.key.sign(message),
    }),
  };
}
