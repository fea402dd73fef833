import { ConfigError } from "./errors.ts";

/** What a node's packet tunnel is told. */
export interface TunSettings {
  /** Of the interface. */
  readonly name: string;
  /** Parity for peers that want it too. */
  readonly fec: boolean;
  /** Keys are replaced after so many seconds; null for the usual 120. Tests replace them more often. */
  readonly rekeySeconds: number | null;
}

export const defaultTunName = "pulse0";

/** A name that the kernel takes as it is: without `%d`, which would make another one of it at every start. */
export function parseTunName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(text)) return text;
  throw new ConfigError(
    `"${
      text.slice(0, 80)
    }" is not the name of an interface; write up to 15 letters and digits, such as ${defaultTunName}`,
  );
}

/** One thread carries all packets, so that more queues would only be read by it in turn. */
export function parseTunQueues(queues: number): number {
  if (queues === 1) return queues;
  throw new ConfigError(`the packet tunnel has one queue, not ${queues}; write 1 or leave it out`);
}
