import { createTestCa } from "../../core/identity/testing.ts";
import { emptyBody } from "../../core/netconfig/empty_body.ts";
import type { ConfigBody } from "../../core/netconfig/types.ts";
import { PulseError } from "../../core/errors/mod.ts";
import type { HostServices, Json } from "../../core/plugin/types.ts";
import type { ByteStream } from "../../core/sessions/types.ts";
import { memoryStreamPair } from "../../core/streams/memory_stream.ts";
import { PathStream } from "../../core/streams/mesh_stream.ts";
import type { IncomingStream } from "../../core/streams/types.ts";
import { configText, sha256 } from "./config_text.ts";

/** Support for tests only: core as the scribe sees it, in memory. */

const ca = await createTestCa("corp");
const { certificate: scribeCertificate } = await ca.issue();
export const { certificate: caCertificate } = await ca.issue({ roles: ["ca"] });
export const { certificate: memberCertificate } = await ca.issue();
export const scribeId = scribeCertificate.id;
export const [laptop, server] = ["1".repeat(32), "2".repeat(32)] as [string, string];

interface Known {
  id: string;
  meshAddresses: string[];
  addresses?: string[];
  linked: boolean;
  lastSeenSeconds: number | null;
}

/** One network, its config, and what became of it. */
export class FakeMesh implements HostServices {
  readonly events: { type: string; fields: { readonly [key: string]: Json | undefined } }[] = [];
  readonly audited: { readonly [key: string]: Json | undefined }[] = [];
  readonly published: { body: ConfigBody; note: string }[] = [];
  epoch = 1;
  version = 0;
  hash = "";
  author = scribeId;
  note = "";
  body: ConfigBody = emptyBody;
  scribe = true;
  nodes: Known[] = [
    { id: scribeId, meshAddresses: ["10.100.0.5"], linked: false, lastSeenSeconds: 0 },
    { id: laptop, meshAddresses: ["10.100.0.1"], linked: true, lastSeenSeconds: 1 },
    { id: server, meshAddresses: ["10.100.0.2"], linked: true, lastSeenSeconds: 2 },
  ];
  /** Runs before each publish: somebody else may be quicker. */
  beforePublish: () => void = () => {};
  /** Where this node may be dialled. */
  advertised: string[] = [];
  /** What the CA says of tokens when it is asked; null: it cannot be reached. */
  uses: Map<string, { uses: number; status: string }> | null = null;
  /** The far end of each stream the plugin opens. */
  answer: (node: string, far: ByteStream) => Promise<void> = () => Promise.resolve();

  readonly self = () =>
    Promise.resolve({
      id: scribeId,
      network: "corp",
      addresses: this.advertised,
      joined: true,
      caFingerprint: "ab".repeat(32),
    });

  readonly peers = () =>
    Promise.resolve([{
      id: caCertificate.id,
      meshAddresses: [],
      roles: ["ca"],
      capabilities: [],
      linked: true,
    }]);

  readonly resolveNode = (text: string) => {
    const found = this.nodes.filter(({ id }) => id.startsWith(text));
    return found.length === 1
      ? Promise.resolve(found[0]!.id)
      : Promise.reject(new PulseError("NODE_UNKNOWN", `No node is called ${text}`));
  };

  readonly openStream: HostServices["openStream"] = ({ node, protocol }) => {
    if (node === caCertificate.id && protocol === "ca.tokens" && this.uses !== null) {
      const [near, far] = memoryStreamPair();
      void this.#tellUses(far, this.uses);
      return Promise.resolve(new PathStream(near, caCertificate, []));
    }
    if (!this.nodes.some(({ id }) => id === node)) {
      return Promise.reject(new PulseError("STREAM_NO_PATH", `There is no path to ${node}`));
    }
    const [near, far] = memoryStreamPair();
    void this.answer(node, far);
    return Promise.resolve(new PathStream(near, memberCertificate, []));
  };

  readonly emit: HostServices["emit"] = (type, fields) => {
    if (type === "audit") this.audited.push(fields);
    else this.events.push({ type, fields });
  };

  // An async function, so that a bad call is a rejection.
  /** Words of the CA about its successors that the node has taken. */
  rolls = 0;

  /** How often the directory was asked for. */
  looks = 0;

  readonly call = async (service: string, method: string, argument: Json): Promise<Json> => {
    switch (await Promise.resolve(`${service}.${method}`)) {
      case "netconfig.current":
        return this.#current();
      case "netconfig.publish":
        return this.#publish(argument as unknown as PublishRequest);
      case "netconfig.seal":
        return btoa(`sealed ${JSON.stringify(argument)}`.slice(0, 60));
      case "directory.snapshot":
        this.looks++;
        return { version: 1, nodes: this.nodes.map((node) => ({ ...node, services: [] })) };
      case "directory.path":
        return [laptop, scribeId, server];
      case "trust.current":
        return { serial: this.rolls };
      case "trust.issuers":
        return { nodes: [] };
      case "trust.adopt":
        this.rolls++;
        return null;
      case "netconfig.adoptGrant":
        return null;
    }
    throw new PulseError("PLUGIN_METHOD_UNKNOWN", `${service} has no ${method}`);
  };

  /** Another scribe publishes. */
  elsewhere(body: ConfigBody, note = "elsewhere"): void {
    this.version++;
    this.body = body;
    this.note = note;
    this.author = server;
    this.hash = this.#bytes().hash;
  }

  /** A CA that knows every token of the config at once, and more if it is told. */
  async #tellUses(far: ByteStream, known: NonNullable<FakeMesh["uses"]>): Promise<void> {
    const fresh = this.body.tokens.filter(({ id }) => !known.has(id))
      .map(({ id }) => ({ id, uses: 0, status: "valid" }));
    const tokens = [...[...known].map(([id, use]) => ({ id, ...use })), ...fresh];
    await far.write(new TextEncoder().encode(`${JSON.stringify({ tokens })}\n`));
    await far.closeWrite();
  }

  #current(): Json {
    const { epoch, version, hash, author, note, body, scribe } = this;
    return {
      epoch,
      version,
      hash,
      parent: null,
      author,
      note,
      createdAt: 1_000_000,
      grantEpoch: epoch,
      problem: null,
      scribe,
      body: body as unknown as Json,
    };
  }

  #publish({ body, note, expect }: PublishRequest): Json {
    this.beforePublish();
    if (expect.epoch !== this.epoch || expect.version !== this.version) {
      throw new PulseError("NETCONFIG_CONFLICT", "Somebody else has published since");
    }
    this.version++;
    Object.assign(this, { body, note, author: scribeId });
    const { bytes, hash } = this.#bytes();
    this.hash = hash;
    this.published.push({ body, note });
    return { epoch: this.epoch, version: this.version, hash, bytes: bytes.toBase64() };
  }

  #bytes(): { bytes: Uint8Array; hash: string } {
    const text = `${this.epoch}.${this.version} ${this.note} ${configText(this.body)}`;
    // As in core: the hash is of the document alone.
    return { bytes: new TextEncoder().encode(`signed ${text}`), hash: sha256(text) };
  }
}

interface PublishRequest {
  readonly body: ConfigBody;
  readonly note: string;
  readonly expect: { readonly epoch: number; readonly version: number };
}

/** What the host says about a stream from the network's CA. */
export function fromCa(protocol: string): IncomingStream {
  return { origin: caCertificate, protocol, target: undefined, port: 0, path: [] };
}
