/** Prometheus exposition of everything a node and its plugins measure. @module */
import { z } from "zod";
import { PulseError } from "../../core/errors/mod.ts";
import { uncleanNames } from "../../core/metrics/mod.ts";
import type { Json, PluginFactory, PluginMetric } from "../../core/plugin/types.ts";
import { exposition } from "./exposition.ts";

const label = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
const argument = z.strictObject({
  /** `clean` leaves out what Prometheus' linter objects to. */
  names: z.enum(["all", "clean"]),
  samples: z.array(z.strictObject({
    name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/),
    help: z.string(),
    type: z.enum(["gauge", "counter", "untyped", "histogram"]),
    value: z.number(),
    labels: z.record(label, z.string()).optional(),
    histogram: z.strictObject({
      bounds: z.array(z.number()).max(64),
      counts: z.array(z.number()).max(65),
      sum: z.number(),
    }).optional(),
  })).max(200_000),
});

/** Writes samples as text; it keeps none of them. */
const metrics: PluginFactory = () => {
  let scrapes = 0;
  return {
    services: {
      metrics: {
        render: async (given: Json): Promise<Json> => {
          const result = argument.safeParse(given);
          if (!result.success) {
            const { path, message } = result.error.issues[0]!;
            throw new PulseError("METRICS_INVALID", `${path.join(".")}: ${message}`);
          }
          scrapes++;
          const { samples, names } = result.data;
          const wanted = names === "all"
            ? samples
            : samples.filter(({ name }) => !uncleanNames.has(name));
          return await exposition(wanted as readonly PluginMetric[]);
        },
      },
    },
    metrics: () => [{
      name: "pulse_scrapes_total",
      help: "Times the metrics were asked for",
      type: "counter",
      value: scrapes,
    }],
    health: () => ({ ok: true, detail: `${scrapes} scrapes` }),
  };
};

export default metrics;
