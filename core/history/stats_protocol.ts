import { z } from "zod";
import { errorCode, errorText, PulseError } from "../errors/mod.ts";
import type { Json } from "../plugin/types.ts";
import type { ByteStream } from "../sessions/types.ts";
import { HistoryError } from "./errors.ts";
import type { StatsAnswer, StatsQuery } from "./types.ts";

/** The stream protocol by which the scribe and the CA ask a node for its statistics. */
export const statsProtocol = "core.stats";

/** Points in one answer, whatever is asked for: some 800 KB. */
export const maxAnswerPoints = 4_000;

const maxRequestBytes = 1_024;
const maxAnswerBytes = 2 * 1024 * 1024;

const requestSchema = z.strictObject({
  peer: z.string().max(64).optional(),
  since: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  resolution: z.enum(["10s", "5m", "1h"]).optional(),
  limit: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
});

const pointSchema = z.strictObject({
  at: z.iso.datetime(),
  samples: z.int().min(0),
  latencyMs: z.number().nullable(),
  worstLatencyMs: z.number().nullable(),
  loss: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  path: z.string().max(128),
});

/** Also what the control API answers. */
export const statsAnswerSchema: z.ZodType<StatsAnswer> = z.strictObject({
  node: z.string().max(64),
  resolution: z.enum(["10s", "5m", "1h"]),
  series: z.array(z.strictObject({
    peer: z.string().max(64),
    points: z.array(pointSchema),
  })),
  truncated: z.boolean(),
});

const replySchema = z.union([
  z.strictObject({ answer: statsAnswerSchema }),
  z.strictObject({
    error: z.strictObject({ code: z.string().max(64), text: z.string().max(2_048) }),
  }),
]);

/**
 * Asks at one end of a stream: a request as JSON, then its end; the answer as JSON, then its end.
 * @param node who is asked; an answer in another name is none
 * @throws {HistoryError} HISTORY_DENIED, HISTORY_UNAVAILABLE, HISTORY_PROTOCOL
 */
export async function askStats(
  stream: ByteStream,
  node: string,
  query: StatsQuery,
): Promise<StatsAnswer> {
  await stream.write(new TextEncoder().encode(JSON.stringify(query)));
  await stream.closeWrite();
  const reply = replySchema.safeParse(await readJson(stream, maxAnswerBytes));
  if (!reply.success) throw protocolError(`Node ${node} gave an answer that is none`, reply.error);
  if ("error" in reply.data) {
    const { code, text } = reply.data.error;
    const known = code === "HISTORY_DENIED" || code === "HISTORY_UNAVAILABLE";
    throw new HistoryError(known ? code : "HISTORY_PROTOCOL", `Node ${node}: ${text}`, { node });
  }
  if (reply.data.answer.node !== node) {
    throw protocolError(`Node ${node} answered in the name of another node`);
  }
  return reply.data.answer;
}

/** Answers at the other end. `answer` may throw: the asker is told what. */
export async function serveStats(
  stream: ByteStream,
  answer: (query: StatsQuery) => StatsAnswer | Promise<StatsAnswer>,
): Promise<void> {
  let reply: Json;
  try {
    const query = requestSchema.safeParse(await readJson(stream, maxRequestBytes));
    if (!query.success) throw protocolError("The request makes no sense", query.error);
    const limit = Math.min(query.data.limit, maxAnswerPoints);
    reply = { answer: { ...await answer({ ...query.data, limit }) } as unknown as Json };
  } catch (error) {
    if (!(error instanceof PulseError)) throw error;
    reply = { error: { code: errorCode(error), text: errorText(error).slice(0, 2_048) } };
  }
  await stream.write(new TextEncoder().encode(JSON.stringify(reply)));
  await stream.closeWrite();
}

async function readJson(stream: ByteStream, limit: number): Promise<unknown> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    total += chunk.length;
    if (total > limit) throw protocolError(`More than ${limit} bytes`);
    parts.push(chunk.slice());
  }
  const text = await new Blob(parts).text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw protocolError("What came is not JSON", cause);
  }
}

function protocolError(text: string, cause?: unknown): HistoryError {
  return new HistoryError("HISTORY_PROTOCOL", text, {}, cause);
}
