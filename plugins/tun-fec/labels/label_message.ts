import { decode, encode } from "@msgpack/msgpack";
import { z } from "zod";
import { isNodeId } from "../../../core/identity/mod.ts";
import { PulseError } from "../../../core/errors/mod.ts";

/** Longest label message on the wire, bytes: a path of 17 ids and some words. */
export const maxLabelMessage = 1_024;

const id = z.string().refine(isNodeId, "is not a node id");
const index = z.int().min(1).max(0xffff_ffff);
/** From the source to the destination: a relay in between, no node twice. */
const path = z.array(id).min(3).max(17).refine(
  (ids) => new Set(ids).size === ids.length,
  "visits a node twice",
);

const message = z.union([
  /**
   * To a relay: carry segments of the first node to the last one. Its own place on the path; then the receiver index that the
   * last relay is to put on them, which is the destination's name for the key they are sealed with.
   */
  z.tuple([z.literal("ask"), path, z.int().min(1).max(15), index]),
  /** Back: put this number on a segment and send it to me. */
  z.tuple([z.literal("label"), index]),
  z.tuple([z.literal("refuse"), z.string().max(40), z.string().max(300)]),
  /** A relay that answers the one with the other within a second or two is alive. */
  z.tuple([z.literal("ping")]),
  z.tuple([z.literal("pong")]),
]);

/** What is said on the stream that sets up one hop of a labelled path. The path lives as long as the stream does. */
export type LabelMessage = z.infer<typeof message>;

export function encodeLabelMessage(said: LabelMessage): Uint8Array {
  return encode(said);
}

/** @throws {PulseError} LABEL_MESSAGE_INVALID */
export function decodeLabelMessage(bytes: Uint8Array): LabelMessage {
  try {
    if (bytes.length > maxLabelMessage) throw new RangeError(`${bytes.length} bytes`);
    const read = message.parse(decode(bytes, { maxArrayLength: 17, maxStrLength: 300 }));
    if (read[0] === "ask" && read[2] >= read[1].length - 1) {
      throw new RangeError("not the place of a relay");
    }
    return read;
  } catch (cause) {
    throw new PulseError(
      "LABEL_MESSAGE_INVALID",
      "A neighbour's label message makes no sense",
      {},
      cause,
    );
  }
}
