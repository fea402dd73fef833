import { createTestCa } from "../identity/testing.ts";
import type { NodeCertificate } from "../identity/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { memoryStreamPair } from "../streams/memory_stream.ts";
import { PathStream } from "../streams/mesh_stream.ts";
import { PulseError } from "../errors/mod.ts";
import type { IncomingStream } from "../streams/types.ts";
import { PluginHost, type PluginHostOptions } from "./host.ts";
import type { HostServices, Json, PluginManifest } from "./types.ts";

/** Support for tests only: a host whose core answers from a script, and records what it is told. */

export const testCertificate: NodeCertificate =
  (await (await createTestCa("corp")).issue()).certificate;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: { readonly [key: string]: Json | undefined };
}

/** Core as plugins see it. `openStream` gives one end of a pair; the other end is in `opened`. */
export class TestServices implements HostServices {
  readonly events: { type: string; fields: { readonly [key: string]: Json | undefined } }[] = [];
  readonly opened: {
    request: Parameters<HostServices["openStream"]>[0];
    far: ByteStream;
    signal: AbortSignal | undefined;
  }[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  readonly self = () =>
    Promise.resolve({
      id: testCertificate.id,
      network: "corp",
      addresses: ["a:1"],
      joined: true,
      caFingerprint: "ab".repeat(32),
    });

  readonly peers = () =>
    Promise.resolve([{
      id: testCertificate.id,
      meshAddresses: testCertificate.meshAddresses,
      roles: ["ca"],
      capabilities: ["tcp"],
      linked: true,
    }]);

  readonly resolveNode = (text: string) =>
    text === "known"
      ? Promise.resolve(testCertificate.id)
      : Promise.reject(new PulseError("NODE_UNKNOWN", `No node is called ${text}`, { text }));

  readonly openStream: HostServices["openStream"] = async (request, options) => {
    const [near, far] = memoryStreamPair();
    this.opened.push({ request, far, signal: options?.signal });
    this.#wake();
    if (request.node === "never") {
      const { promise, reject } = Promise.withResolvers<never>();
      options?.signal?.addEventListener("abort", () => reject(options.signal?.reason));
      await promise;
    }
    if (request.node === "refused") {
      throw new PulseError("STREAM_REFUSED", "the far end refused", { hop: "h1" });
    }
    return new PathStream(near, testCertificate, [testCertificate.id]);
  };

  readonly call = (service: string, method: string, argument: Json): Promise<Json> =>
    Promise.resolve({ core: [service, method, argument] });

  readonly emit = (type: string, fields: { readonly [key: string]: Json | undefined }) => {
    this.events.push({ type, fields });
    this.#wake();
  };

  /** Resolves once so many events and streams have been seen in all. */
  async seen(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    this.#wake();
    await promise;
  }

  /** Event types in order. */
  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  #wake(): void {
    const count = this.events.length + this.opened.length;
    for (const waiting of this.#waiting) if (count >= waiting.count) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => count < waiting.count);
  }
}

export interface TestHost extends AsyncDisposable {
  readonly host: PluginHost;
  readonly services: TestServices;
  readonly lines: LogLine[];
  readonly dataDir: string;
  /** Resolves when a log line with this message has been written. */
  logged(message: string, count?: number): Promise<LogLine>;
}

/** Starts a host over a data directory of its own. */
export async function startTestHost(
  manifests: Readonly<Record<string, PluginManifest>>,
  options: Partial<PluginHostOptions> = {},
): Promise<TestHost> {
  const dataDir = await Deno.makeTempDir({ prefix: "pulse-plugins-" });
  const services = new TestServices();
  const lines: LogLine[] = [];
  const waiting: (() => void)[] = [];
  try {
    const host = await PluginHost.start({
      manifests,
      configs: {},
      dataDir,
      baseUrl: import.meta.url,
      services,
      log(level, message, fields = {}) {
        lines.push({ level, message, fields });
        waiting.splice(0).forEach((wake) => wake());
      },
      ...options,
    });
    return {
      host,
      services,
      lines,
      dataDir,
      async logged(message, count = 1) {
        for (;;) {
          const found = lines.filter((line) => line.message === message);
          if (found.length >= count) return found[count - 1]!;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      },
      async [Symbol.asyncDispose]() {
        await host[Symbol.asyncDispose]();
        await Deno.remove(dataDir, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(dataDir, { recursive: true });
    throw error;
  }
}

/** What the host says about a stream from the test node. */
export function incoming(protocol: string): IncomingStream {
  return {
    origin: testCertificate,
    protocol,
    target: undefined,
    port: 0,
    path: [testCertificate.id],
  };
}

/** Everything up to the half-close. */
export async function readAll(stream: ByteStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    parts.push(chunk.slice());
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
