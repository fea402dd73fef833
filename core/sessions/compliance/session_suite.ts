import { bulkCases } from "./bulk_cases.ts";
import { datagramCases } from "./datagram_cases.ts";
import { lifecycleCases } from "./lifecycle_cases.ts";
import { streamCases } from "./stream_cases.ts";
import type { MakePair } from "./suite_support.ts";

/**
 * Registers one `Deno.test` for every rule a `Session` keeps, whatever carries it. Run with `--sanitize-ops
 * --sanitize-resources`: a test that passes but leaves a socket or a timer behind is a failure.
 *
 * Nothing is assumed of a transport but this: a new stream may become visible to the acceptor only once the opener has
 * written something or closed, and datagrams may be lost.
 */
export function sessionComplianceSuite(name: string, makePair: MakePair): void {
  for (const rule of [...streamCases, ...bulkCases, ...lifecycleCases, ...datagramCases]) {
    Deno.test(`${name}: ${rule.name}`, async () => {
      const pair = await makePair(rule.limits);
      try {
        await rule.run(pair);
      } finally {
        await pair.dispose();
      }
    });
  }
}
