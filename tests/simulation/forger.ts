import { encodeContent } from "../../core/gossip/content.ts";
import { MessageWriter } from "../../core/gossip/message_writer.ts";
import { type SignedHead, signHead, signingPrefix } from "../../core/gossip/record.ts";
import type { Credentials } from "../../core/identity/mod.ts";
import type { Prng } from "./prng.ts";
import { SimCa } from "./sim_ca.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

export const forgeryKinds = [
  "garbage",
  "truncated",
  "bit flipped",
  "another's id",
  "another's certificate",
  "foreign CA",
  "wrong network",
  "replay",
  "hops inflated",
] as const;
export type ForgeryKind = typeof forgeryKinds[number];

/** Genuine messages remembered as raw material. */
const keptMessages = 256;

/** A member gone bad, with a valid certificate of its own: puts lies on other nodes' links. */
export class Forger {
  readonly #world: World;
  readonly #random: Prng;
  readonly #member: Credentials;
  readonly #stranger: Credentials;
  readonly #overheard: Uint8Array[] = [];
  readonly #count = new Map<ForgeryKind, number>();

  constructor(world: World, seed: string, random: Prng) {
    this.#world = world;
    this.#random = random;
    this.#member = world.ca.issue("mallory");
    this.#stranger = new SimCa(`${seed}/foreign`, world.network).issue("stranger");
  }

  overhear(bytes: Uint8Array): void {
    if (this.#overheard.length < keptMessages) this.#overheard.push(bytes);
    else this.#overheard[this.#random.below(keptMessages)] = bytes;
  }

  get total(): number {
    return [...this.#count.values()].reduce((sum, count) => sum + count, 0);
  }

  /** One lie on a link that is up. */
  strike(): void {
    const link = this.#random.pick(this.#world.links);
    if (link.session === 0 || link.cut) return;
    const kind = this.#random.pick(forgeryKinds);
    const bytes = this.#forge(kind, this.#random.pick(this.#world.nodes));
    if (bytes === null) return;
    this.#count.set(kind, (this.#count.get(kind) ?? 0) + 1);
    this.#world.inject(link, this.#random.next() < 0.5, bytes);
  }

  #forge(kind: ForgeryKind, victim: SimNode): Uint8Array<ArrayBuffer> | null {
    const random = this.#random;
    const heads = this.#world.facts.headsOf(victim.id);
    const { key } = this.#member;
    switch (kind) {
      case "garbage":
        return random.bytes(1 + random.below(400));
      case "truncated": {
        const whole = random.pick(this.#overheard);
        return whole.slice(0, random.below(whole.length));
      }
      case "bit flipped": {
        if (heads.length === 0) return null;
        const head = random.pick(heads);
        const bytes = head.bytes.slice();
        bytes[16 + random.below(bytes.length - 16)]! ^= 1 << random.below(8);
        return message({ ...head, bytes }, random.below(16));
      }
      case "another's id":
        return this.#record({ ...this.#member, id: victim.id });
      case "another's certificate":
        return this.#record({ ...victim.credentials, key });
      case "foreign CA":
        return this.#record(this.#stranger);
      case "wrong network":
        return this.#record({ ...victim.credentials, network: "other" });
      case "replay":
        return heads.length === 0 ? null : message(heads[0]!, random.below(16));
      case "hops inflated":
        return heads.length === 0 ? null : message(heads.at(-1)!, 15);
    }
  }

  /** A record well formed in every respect but one: who signed what over which name. */
  #record(
    as: Pick<Credentials, "key" | "certificate"> & {
      readonly id?: string;
      readonly network?: string;
    },
  ): Uint8Array<ArrayBuffer> {
    const { certificate, key, id = certificate.id, network = certificate.network } = as;
    const content = encodeContent(
      {
        addresses: ["attacker.example.net:443"],
        version: "6.6.6",
        capabilities: [],
        services: [],
        exitCidrs: ["0.0.0.0/0"],
        links: [],
      },
      certificate.fingerprint,
      id,
    );
    const head = signHead(
      { id, sequence: 1_000 + this.#random.below(1_000), contentHash: content.hash },
      signingPrefix(network),
      // Straight from the key: a victim's own engine never signed this, so nobody may take it for genuine.
      (bytes) => key.sign(bytes),
    );
    return message(head, 0, content.bytes, certificate.der);
  }
}

function message(
  head: SignedHead,
  hops: number,
  content: Uint8Array | null = null,
  certificate: Uint8Array | null = null,
): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter();
  writer.beginRecords(0, true);
  writer.record({ head, hops, content, certificate });
  writer.endRecords();
  return writer.finish();
}
