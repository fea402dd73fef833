/**
 * What two loops say to each other in sealed segments with the control bit, big-endian:
 *
 * ```
 * probe    u8 1, u8 0,   u16 bytes of the datagram, u32 number, zeros up to the size
 * answer   u8 2, u8 way, u16 bytes of the datagram, u32 number     of the probe that came on that way
 * loss     u8 3, u8 way, u16 mean run of losses * 256, u32 segments, u32 lost
 * ```
 */
export const controlKind = { probe: 1, answer: 2, loss: 3 } as const;

/** Bytes of each, without padding. */
export const controlBytes = { probe: 8, answer: 8, loss: 12 } as const;

/** A probe, or the answer to one. */
export interface Probe {
  readonly kind: typeof controlKind.probe | typeof controlKind.answer;
  /** Of an answer: the way the probe came on. */
  readonly way: number;
  readonly bytes: number;
  readonly number: number;
}

/** What a receiver saw of one way lately. */
export interface LossReport {
  readonly kind: typeof controlKind.loss;
  readonly way: number;
  /** Mean number of segments lost in a row. */
  readonly burst: number;
  readonly segments: number;
  readonly lost: number;
}

export type ControlMessage = Probe | LossReport;

/** @returns its bytes */
export function writeControl(view: DataView, at: number, message: ControlMessage): number {
  const { kind, way } = message;
  view.setUint8(at, kind);
  view.setUint8(at + 1, way);
  if (kind === controlKind.loss) {
    view.setUint16(at + 2, Math.min(0xffff, Math.round(message.burst * 256)));
    view.setUint32(at + 4, message.segments);
    view.setUint32(at + 8, message.lost);
    return controlBytes.loss;
  }
  view.setUint16(at + 2, message.bytes);
  view.setUint32(at + 4, message.number);
  return controlBytes.probe;
}

/** The message; undefined for one of a newer version, or nonsense. */
export function readControl(
  view: DataView,
  at: number,
  length: number,
): ControlMessage | undefined {
  if (length < controlBytes.probe) return undefined;
  const kind = view.getUint8(at);
  const way = view.getUint8(at + 1);
  if (way > 31) return undefined;
  if (kind === controlKind.probe || kind === controlKind.answer) {
    return { kind, way, bytes: view.getUint16(at + 2), number: view.getUint32(at + 4) };
  }
  if (kind !== controlKind.loss || length < controlBytes.loss) return undefined;
  const [segments, lost] = [view.getUint32(at + 4), view.getUint32(at + 8)];
  if (lost > segments) return undefined;
  return { kind, way, burst: Math.max(1, view.getUint16(at + 2) / 256), segments, lost };
}
