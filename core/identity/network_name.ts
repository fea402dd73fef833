import { IdentityError } from "./errors.ts";

export const defaultNetworkName = "pulse";

const networkPattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** Whether `parseNetworkName` takes it. */
export function isNetworkName(text: string): boolean {
  return networkPattern.test(text);
}

/**
 * A network's name: one DNS label, because it is part of every node's server name.
 * @throws {IdentityError} IDENTITY_NETWORK_INVALID
 */
export function parseNetworkName(text: string): string {
  if (!isNetworkName(text)) {
    throw new IdentityError(
      "IDENTITY_NETWORK_INVALID",
      `"${
        text.slice(0, 64)
      }" is not a network name: use 1 to 32 of a-z, 0-9 and "-", without "-" at either end`,
    );
  }
  return text;
}
