/** SOCKS5 server: `<node>.pulse` names lead through the mesh. @module */
import { formatHostPort } from "../../core/address/mod.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { PluginFactory, PluginHooks, PluginMetric } from "../../core/plugin/types.ts";
import { parseConfig, type SocksConfig } from "./config.ts";
import { type Connect, makeConnector } from "./connector.ts";
import { MeshAddressBook } from "./mesh_address_book.ts";
import { SocksServer } from "./socks_server.ts";

/** The plugin's factory; see `parseConfig` for its configuration. */
const socks: PluginFactory = ({ config: given, host, log }): PluginHooks => {
  const config = parseConfig(given);
  const connect = makeConnector({
    openStream: host.openStream,
    addresses: new MeshAddressBook(host.peers, () => performance.now()),
    direct: config.direct,
  });
  let server: SocksServer | undefined;
  return {
    onStart() {
      server = listen(config, connect, log);
      log("info", "SOCKS is listening", {
        listen: formatHostPort({ host: config.hostname, port: server.port }),
        direct: config.direct,
      });
    },
    metrics: () => server === undefined ? [] : metrics(server),
    health: () =>
      server === undefined ? { ok: false, detail: "not listening" } : {
        ok: true,
        detail: `${server.connections} of at most ${server.limits.maxConnections} connections`,
      },
    async onStop() {
      await server?.[Symbol.asyncDispose]();
    },
  };
};

export default socks;

function listen(
  { hostname, port, users }: SocksConfig,
  connect: Connect,
  log: Parameters<PluginFactory>[0]["log"],
): SocksServer {
  try {
    return new SocksServer({ hostname, port, users, connect, log });
  } catch (cause) {
    const listen = formatHostPort({ host: hostname, port });
    throw new PulseError(
      "SOCKS_LISTEN",
      `SOCKS cannot listen on ${listen} (${
        errorText(cause)
      }); choose another address with --socks-listen`,
      { listen },
      cause,
    );
  }
}

function metrics(server: SocksServer): PluginMetric[] {
  const { counters, bytes } = server;
  return [
    {
      name: "pulse_socks_connections",
      help: "SOCKS connections open now",
      type: "gauge",
      value: server.connections,
    },
    ...(["accepted", "rejected", "connected", "failed"] as const).map((outcome) => ({
      name: "pulse_socks_connections_total",
      help: "SOCKS connections by outcome",
      type: "counter" as const,
      value: counters[outcome],
      labels: { outcome },
    })),
    ...([["up", bytes.aToB], ["down", bytes.bToA]] as const).map(([direction, value]) => ({
      name: "pulse_socks_bytes_total",
      help: "Bytes carried for SOCKS clients, up into the mesh and down to them",
      type: "counter" as const,
      value,
      labels: { direction },
    })),
  ];
}
