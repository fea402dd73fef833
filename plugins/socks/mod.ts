/** SOCKS5 server for connections and datagrams: `<node>.pulse` names lead through the mesh. @module */
import { formatHostPort, isLoopbackIp } from "../../core/address/mod.ts";
import { errorCode, errorText, PulseError } from "../../core/errors/mod.ts";
import type { Json, PluginFactory, PluginHooks, PluginMetric } from "../../core/plugin/types.ts";
import { connToStream } from "../../core/streams/conn_stream.ts";
import { parseConfig, type SocksConfig } from "./config.ts";
import { makeConnector } from "./connector.ts";
import { directDatagrams } from "./direct_datagrams.ts";
import { dialDirect } from "./direct_dial.ts";
import { MeshAddressBook } from "./mesh_address_book.ts";
import { SocksServer, type SocksServerOptions } from "./socks_server.ts";

/** The plugin's factory; see `parseConfig` for its configuration. */
const socks: PluginFactory = ({ config: given, host, log }): PluginHooks => {
  const config = parseConfig(given);
  const addresses = new MeshAddressBook(host.peers, () => performance.now());
  const { openStream } = host;
  const leadsOut = (name: string) => exitLeads(() => host.call("exits", "find", { host: name }));
  const ways = {
    connect: makeConnector({
      openStream,
      addresses,
      protocol: "tcp",
      leadsOut,
      direct: config.direct
        ? async (...where) => connToStream(await dialDirect(...where))
        : undefined,
    }),
    associate: config.udp === false ? undefined : makeConnector({
      openStream,
      addresses,
      protocol: "udp",
      leadsOut,
      direct: config.direct ? directDatagrams : undefined,
    }),
  };
  let server: SocksServer | undefined;
  return {
    onStart() {
      server = listen(config, ways, log);
      if (!isLoopbackIp(config.hostname) && config.users.size === 0) {
        log("warn", "SOCKS serves everybody who reaches it; name users with socks-users");
      }
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

/** Before the node has joined, nobody leads anywhere. */
async function exitLeads(find: () => Promise<Json>): Promise<boolean> {
  try {
    return await find() !== null;
  } catch (error) {
    if (errorCode(error) === "NODE_NOT_JOINED") return false;
    throw error;
  }
}

function listen(
  { hostname, port, users }: SocksConfig,
  ways: Pick<SocksServerOptions, "connect" | "associate">,
  log: Parameters<PluginFactory>[0]["log"],
): SocksServer {
  try {
    return new SocksServer({ hostname, port, users, log, ...ways });
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
    {
      name: "pulse_socks_datagrams_dropped_total",
      help:
        "Datagrams of clients that were not understood, not theirs to send, or too many at once",
      type: "counter",
      value: server.bytes.dropped,
    },
  ];
}
