import { ConfigError } from "./errors.ts";

/** What a node's packet tunnel is told. */
export interface TunSettings {
  /** Of the interface. */
  readonly name: string;
  /** Parity for peers that want it too. */
  readonly fec: boolean;
  /** Of the interface. */
  readonly queues: number;
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

export const defaultTunQueues = 8;
const mostTunQueues = 16;

export function parseTunQueues(queues: number): number {
  if (queues >= 1 && queues <= mostTunQueues) return queues;
  throw new ConfigError(
    `the packet tunnel has 1 to ${mostTunQueues} queues, not ${queues}; leave it out for ${defaultTunQueues}`,
  );
}
