import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import { errorText } from "../../errors/mod.ts";
import { ProtocolError } from "../errors.ts";

/** Version of everything spoken inside a session. Both ends must say the same. */
export const linkProtocolVersion = 1;

/** A link message on the wire: `u16 length, msgpack`. Longer is refused before it is read. */
export const maxLinkMessageBytes = 4096;
const maxReasonLength = 512;

const version = z.number().int().min(0).max(0xffff);
const nodeId = z.string().regex(/^[0-9a-f]{32}$/);
const network = z.string().min(1).max(63);
const transport = z.enum(["quic", "websocket"]);

const helloSchema = z.object({
  v: version,
  network,
  id: nodeId,
  verified: nodeId,
  transport,
});
const welcomeSchema = z.object({
  ok: z.literal(true),
  v: version,
  network,
  id: nodeId,
});
const refusalSchema = z.object({
  ok: z.literal(false),
  code: z.number().int().min(1).max(0xffff),
  reason: z.string().max(maxReasonLength),
});

/** First words of the dialler: who it is and whom it verified on the connection that carries this. */
export type LinkHello = z.infer<typeof helloSchema>;
/** The acceptor serves the session. */
export type LinkWelcome = z.infer<typeof welcomeSchema>;
/** Either end may say this instead; `code` is one of `SessionCloseCode`. */
export type LinkRefusal = z.infer<typeof refusalSchema>;
export type LinkMessage = LinkHello | LinkWelcome | LinkRefusal;

const messageSchema = z.union([refusalSchema, welcomeSchema, helloSchema]);

/** Length prefix and body in one buffer. */
export function encodeLinkMessage(message: LinkMessage): Uint8Array {
  const body = encode(message);
  const frame = new Uint8Array(2 + body.length);
  new DataView(frame.buffer).setUint16(0, body.length);
  frame.set(body, 2);
  return frame;
}

/**
 * Parses one message body (without its length prefix). Unknown fields are dropped, so that a newer peer can be told that
 * its version is refused instead of being taken for garbage.
 * @throws {ProtocolError}
 */
export function decodeLinkMessage(body: Uint8Array): LinkMessage {
  if (body.length > maxLinkMessageBytes) {
    throw new ProtocolError(
      `A link message of ${body.length} bytes exceeds ${maxLinkMessageBytes}`,
    );
  }
  let value: unknown;
  try {
    value = decode(body, {
      maxStrLength: maxReasonLength,
      maxBinLength: 0,
      maxArrayLength: 16,
      maxMapLength: 16,
      maxExtLength: 0,
    });
  } catch (error) {
    throw new ProtocolError(`A link message is not msgpack: ${errorText(error)}`, {}, error);
  }
  const parsed = messageSchema.safeParse(value);
  if (!parsed.success) {
    throw new ProtocolError("A link message has an unknown shape", {}, parsed.error);
  }
  const message = parsed.data;
  if ("ok" in message && !message.ok) return { ...message, reason: printable(message.reason) };
  return message;
}

/** A reason as it may be sent: printable and bounded. */
export function linkReason(text: string): string {
  return printable(text).slice(0, maxReasonLength / 4);
}

/** A stranger's words end up in logs and terminals: control characters would let them write there. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202f]/g, " ");
}
