/** DNS server: the mesh's names and addresses, for programs that know nothing of pulse. @module */
import { formatHostPort } from "../../core/address/mod.ts";
import { errorText, PulseError } from "../../core/errors/mod.ts";
import type { LogFn, PluginFactory, PluginHooks } from "../../core/plugin/types.ts";
import { type DnsConfig, parseConfig } from "./config.ts";
import { Directory } from "./directory.ts";
import { Gate } from "./gate.ts";
import { dnsMetrics } from "./metrics.ts";
import { RateLimit } from "./rate_limit.ts";
import { Responder } from "./responder.ts";
import { TcpServer } from "./tcp_server.ts";
import { UdpServer } from "./udp_server.ts";
import { Forwarder } from "./upstream/forwarder.ts";

/** Of each client that is not on this machine. */
const rateLimit = { perSecond: 200, burst: 400, maxSources: 4_096 };

/** The plugin's factory; see `parseConfig` for its configuration. */
const dns: PluginFactory = ({ config: given, host, log }): PluginHooks => {
  const config = parseConfig(given);
  const now = () => performance.now();
  const directory = new Directory({ call: host.call, log, now });
  const { upstreams } = config;
  const forwarder = upstreams.length === 0 ? undefined : new Forwarder({ upstreams, log, now });
  const responder = new Responder(directory, forwarder);
  const gate = new Gate({ clients: config.clients, rate: new RateLimit(rateLimit), now });
  let servers: Servers | undefined;
  return {
    onStart() {
      servers = listen(config, responder, gate, log);
      log("info", "DNS is listening", {
        listen: formatHostPort({ host: config.hostname, port: servers.tcp.port }),
        upstreams: upstreams.map(formatHostPort),
      });
    },
    onNetworkConfig: () => directory.expire(),
    metrics: () =>
      servers === undefined ? [] : dnsMetrics({ ...servers, gate, responder, forwarder }),
    health: () =>
      servers === undefined ? { ok: false, detail: "not listening" } : {
        ok: true,
        detail: `${servers.udp.counters.queries + servers.tcp.counters.queries} questions so far`,
      },
    async onStop() {
      await servers?.udp[Symbol.asyncDispose]();
      await servers?.tcp[Symbol.asyncDispose]();
      await forwarder?.[Symbol.asyncDispose]();
    },
  };
};

export default dns;

interface Servers {
  readonly udp: UdpServer;
  readonly tcp: TcpServer;
}

/** UDP on the port that TCP got, so that port 0 takes one that is free for both. */
function listen(
  { hostname, port }: DnsConfig,
  responder: Responder,
  gate: Gate,
  log: LogFn,
): Servers {
  let tcp: TcpServer | undefined;
  try {
    tcp = new TcpServer({ hostname, port, responder, gate, log });
    return { tcp, udp: new UdpServer({ hostname, port: tcp.port, responder, gate, log }) };
  } catch (cause) {
    // What it closes is not waited for: nobody has been served yet.
    tcp?.[Symbol.asyncDispose]();
    const listen = formatHostPort({ host: hostname, port });
    throw new PulseError(
      "DNS_LISTEN",
      `DNS cannot listen on ${listen} (${
        errorText(cause)
      }); choose another address with --dns-listen`,
      { listen },
      cause,
    );
  }
}
