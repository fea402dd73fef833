/**
 * One end of a link, in a process of its own: `stream_peer.ts CARRIER`, then JSON commands on the standard input.
 * @module
 */
import { z } from "zod";
import {
  type Credentials,
  nodeKeyFromPem,
  parseTrustAnchor,
  pemToDer,
  validateCertificate,
} from "../../../core/identity/mod.ts";
import { answerCommands } from "../json_child.ts";
import type { BenchLink, BenchListener } from "./carrier.ts";
import { carriers } from "./carriers.ts";
import { answer, timeEchoes, timeHandshakes, timeOpening, timeSending } from "./measure.ts";

const credentialTexts = z.object({ key: z.string(), certificate: z.string(), anchor: z.string() });
const peerToDial = { as: credentialTexts, port: z.int(), peer: z.string() };
const command = z.discriminatedUnion("do", [
  z.object({ do: z.literal("listen"), as: credentialTexts, relay: z.int().optional() }),
  z.object({ do: z.literal("dial"), ...peerToDial }),
  z.object({ do: z.literal("handshake"), ...peerToDial, count: z.int() }),
  z.object({ do: z.literal("send"), bytes: z.int(), chunk: z.int() }),
  z.object({ do: z.literal("echo"), size: z.int(), count: z.int() }),
  z.object({ do: z.literal("open"), count: z.int() }),
]);

function credentials(texts: z.infer<typeof credentialTexts>): Credentials {
  const anchor = parseTrustAnchor(texts.anchor);
  return {
    key: nodeKeyFromPem(texts.key),
    certificate: validateCertificate(pemToDer(texts.certificate), anchor, { now: Date.now() }),
    anchor,
  };
}

if (import.meta.main) {
  const name = Deno.args[0] ?? "";
  const carrier = carriers[name];
  if (carrier === undefined) throw new Error(`no carrier is called "${name}"`);
  let listener: BenchListener | undefined;
  let link: BenchLink | undefined;
  await answerCommands(async (json) => {
    const order = command.parse(json);
    if (order.do === "listen") {
      listener = await carrier.listen(credentials(order.as), order.relay);
      listener.serve(answer);
      return { port: listener.port };
    }
    if (order.do === "dial") {
      link = await carrier.dial(credentials(order.as), order.port, order.peer);
      return {};
    }
    if (order.do === "handshake") {
      const own = credentials(order.as);
      const dial = () => carrier.dial(own, order.port, order.peer);
      return { milliseconds: await timeHandshakes(dial, order.count) };
    }
    if (link === undefined) throw new Error("dial first");
    if (order.do === "send") {
      return { seconds: await timeSending(link, order.bytes, order.chunk) };
    }
    return {
      milliseconds: order.do === "echo"
        ? await timeEchoes(link, order.size, order.count)
        : await timeOpening(link, order.count),
    };
  });
  await link?.[Symbol.asyncDispose]();
  await listener?.[Symbol.asyncDispose]();
  Deno.exit(0);
}
