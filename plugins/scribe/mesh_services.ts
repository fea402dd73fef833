import { z } from "zod";
import { PulseError } from "../../core/errors/mod.ts";
import type { NodeId } from "../../core/identity/types.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import type { HostServices, Json } from "../../core/plugin/types.ts";
import type { ConfigVersion } from "./version_text.ts";

/** The network config in force at this node. */
export interface CurrentConfig extends ConfigVersion {
  readonly hash: string;
  readonly parent: string | null;
  readonly author: string;
  readonly createdAt: number;
  readonly note: string;
  readonly body: ConfigBody;
  /** Whether this node may publish the next one. */
  readonly scribe: boolean;
}

export interface PublishedConfig extends ConfigVersion {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** A node as this one sees it. */
export interface DirectoryNode {
  readonly id: NodeId;
  readonly meshAddresses: readonly string[];
  /** Where it may be dialled. */
  readonly addresses: readonly string[];
  readonly services: Json;
  readonly version: string | null;
  readonly linked: boolean;
  readonly lastSeenSeconds: number | null;
}

const current = z.object({
  epoch: z.int(),
  version: z.int(),
  hash: z.string(),
  parent: z.string().nullable(),
  author: z.string(),
  createdAt: z.number(),
  note: z.string(),
  // Core has checked it, by the config's own schema.
  body: z.custom<ConfigBody>((value) => typeof value === "object" && value !== null),
  scribe: z.boolean(),
});
const published = z.object({
  epoch: z.int(),
  version: z.int(),
  hash: z.string(),
  bytes: z.string().transform((text) => Uint8Array.fromBase64(text)),
});
const directory = z.object({
  nodes: z.array(z.object({
    id: z.string(),
    meshAddresses: z.array(z.string()),
    addresses: z.array(z.string()).default([]),
    services: z.custom<Json>().default([]),
    version: z.string().nullable().default(null),
    linked: z.boolean(),
    lastSeenSeconds: z.number().nullable().default(null),
  })),
});

/** What core does for the scribe, with types. */
export class MeshServices {
  readonly #host: HostServices;

  constructor(host: HostServices) {
    this.#host = host;
  }

  async current(): Promise<CurrentConfig> {
    return current.parse(await this.#host.call("netconfig", "current", null));
  }

  /** @throws {PulseError} NETCONFIG_CONFLICT, NETCONFIG_NOT_SCRIBE, NETCONFIG_INVALID */
  async publish(body: ConfigBody, note: string, expect: ConfigVersion): Promise<PublishedConfig> {
    const { epoch, version } = expect;
    const request = { body, note, expect: { epoch, version } } as unknown as Json;
    return published.parse(await this.#host.call("netconfig", "publish", request));
  }

  /** Seals something so that only the CA can open it. */
  async seal(key: Uint8Array): Promise<string> {
    const sealed = await this.#host.call("netconfig", "seal", { key: key.toBase64() });
    return z.string().parse(sealed);
  }

  /** Nodes a flow between two nodes runs over today, both ends included; null: there is no path, or nobody can tell. */
  async path(from: NodeId, to: NodeId): Promise<readonly NodeId[] | null> {
    if (from === to) return [from];
    try {
      const found = await this.#host.call("directory", "path", { from, to });
      return z.array(z.string()).nullable().parse(found);
    } catch (error) {
      // Which rule decides can be said all the same.
      if (error instanceof PulseError) return null;
      throw error;
    }
  }

  async directory(): Promise<readonly DirectoryNode[]> {
    return directory.parse(await this.#host.call("directory", "snapshot", null)).nodes;
  }
}
