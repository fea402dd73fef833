import project from "../../deno.json" with { type: "json" };
import { startTestHost, type TestHost } from "../../core/plugin/testing.ts";
import type { HostServices, Json, PluginManifest } from "../../core/plugin/types.ts";
import { run } from "../../tests/lab/command.ts";
import type { DirectoryRecord, Snapshot } from "./snapshot.ts";

/** Support for tests only: a small mesh, the plugin in its Worker, and dig. */

export const ids = { db: "d".repeat(32), web: "a1".repeat(16), bare: "b".repeat(32) } as const;

export function sampleSnapshot(records: readonly DirectoryRecord[] = []): Snapshot {
  return {
    version: 7,
    network: "corp",
    self: ids.web,
    meshCidr: "10.100.0.0/16",
    nodes: [
      {
        id: ids.db,
        name: "db",
        tags: ["prod"],
        meshAddresses: ["10.100.3.4", "fd12:3456:789a::4"],
        services: [{ name: "postgres", port: 5432 }],
      },
      {
        id: ids.web,
        name: "web",
        tags: [],
        meshAddresses: ["10.100.0.9", "fd12:3456:789a::9"],
        services: [{ name: "http", port: 80 }],
      },
      { id: ids.bare, name: null, tags: [], meshAddresses: ["10.100.7.7"], services: [] },
    ],
    records: [...records],
  } as Snapshot;
}

const manifest: PluginManifest = { ...project.pulse.plugins.dns, module: "./mod.ts" };

export interface DnsLab extends AsyncDisposable {
  readonly test: TestHost;
  readonly port: number;
  /** Replaces what core answers. */
  mesh: () => Promise<Json>;
  /** Runs dig against the plugin; gives what it printed. */
  dig(...args: string[]): Promise<string>;
}

/** The plugin in its Worker with the permissions of deno.json; core answers with the sample unless told otherwise. */
export async function startDns(
  config: { readonly [key: string]: Json } = {},
  snapshot: Snapshot = sampleSnapshot(),
): Promise<DnsLab> {
  const lab = { mesh: () => Promise.resolve(snapshot as unknown as Json) };
  const call: HostServices["call"] = (service, method) =>
    service === "directory" && method === "snapshot"
      ? lab.mesh()
      : Promise.reject(new Error(`${service}.${method} is not asked for`));
  const test = await startTestHost({ dns: manifest }, {
    baseUrl: import.meta.url,
    configs: { dns: { listen: "127.0.0.1:0", ...config } },
    coreServices: ["directory"],
    services: {
      self: () => Promise.reject(new Error("not asked for")),
      peers: () => Promise.reject(new Error("not asked for")),
      resolveNode: () => Promise.reject(new Error("not asked for")),
      openStream: () => Promise.reject(new Error("not asked for")),
      call,
      emit: () => {},
    },
    restart: { maxRestarts: 0 },
  });
  const [status] = test.host.status();
  if (status?.state !== "running") {
    await test[Symbol.asyncDispose]();
    throw new Error(status?.detail);
  }
  const { fields } = await test.logged("DNS is listening");
  const port = Number(String(fields.listen).split(":").at(-1));
  return Object.assign(lab, {
    test,
    port,
    async dig(...args: string[]) {
      const argv = ["dig", "@127.0.0.1", "-p", `${port}`, "+tries=1", "+time=5", ...args];
      const { stdout, stderr } = await run(argv);
      return stdout + stderr;
    },
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  });
}
