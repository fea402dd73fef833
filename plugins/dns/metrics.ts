import type { PluginMetric } from "../../core/plugin/types.ts";
import type { Gate } from "./gate.ts";
import type { Responder } from "./responder.ts";
import type { TcpServer } from "./tcp_server.ts";
import type { UdpServer } from "./udp_server.ts";
import type { Forwarder } from "./upstream/forwarder.ts";

export interface Measured {
  readonly udp: UdpServer;
  readonly tcp: TcpServer;
  readonly gate: Gate;
  readonly responder: Responder;
  readonly forwarder: Forwarder | undefined;
}

const codes: Readonly<Record<number, string>> = {
  0: "NOERROR",
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED",
  16: "BADVERS",
};

/** Samples for Prometheus. */
export function dnsMetrics({ udp, tcp, gate, responder, forwarder }: Measured): PluginMetric[] {
  const counters = (
    name: string,
    help: string,
    label: string,
    values: Readonly<Record<string, number>>,
  ): PluginMetric[] =>
    Object.entries(values).map(([word, value]) => ({
      name,
      help,
      type: "counter",
      value,
      labels: { [label]: word },
    }));
  const answers: Record<string, number> = {};
  for (const [code, count] of responder.answered) {
    const word = codes[code] ?? "other";
    answers[word] = (answers[word] ?? 0) + count;
  }
  return [
    ...counters("pulse_dns_queries_total", "DNS questions by transport", "transport", {
      udp: udp.counters.queries,
      tcp: tcp.counters.queries,
    }),
    ...counters("pulse_dns_responses_total", "DNS answers by code", "rcode", answers),
    ...counters("pulse_dns_dropped_total", "DNS questions without an answer", "reason", {
      client: gate.refused.stranger,
      rate: gate.refused.rate,
      connection: tcp.counters.rejected,
    }),
    ...(forwarder === undefined ? [] : [
      ...counters("pulse_dns_cache_total", "Looks into the cache of upstream answers", "result", {
        hit: forwarder.cache.counters.hits,
        miss: forwarder.cache.counters.misses,
      }),
      ...counters("pulse_dns_upstream_total", "Questions to upstreams by outcome", "outcome", {
        asked: forwarder.counters.asked,
        failed: forwarder.counters.failed,
        overload: forwarder.counters.overload,
      }),
    ]),
  ];
}
