import { ScribeError } from "./errors.ts";

/** A version of the network config: the epoch of the grant it was signed under, and the counter. */
export interface ConfigVersion {
  readonly epoch: number;
  readonly version: number;
}

/** `3.17`: epoch 3, version 17. */
export function versionText({ epoch, version }: ConfigVersion): string {
  return `${epoch}.${version}`;
}

/** @throws {ScribeError} SCRIBE_REQUEST_INVALID */
export function parseVersion(text: string): ConfigVersion {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  if (match === null) {
    throw new ScribeError(
      "SCRIBE_REQUEST_INVALID",
      `"${
        text.slice(0, 40)
      }" is not a version of the network config; write 3.17, as pulse config history shows it`,
    );
  }
  return { epoch: Number(match[1]), version: Number(match[2]) };
}
