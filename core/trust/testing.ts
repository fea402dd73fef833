import { createTestCa, type TestCa } from "../identity/testing.ts";
import { signRoll } from "./signed_roll.ts";
import type { CaRoll } from "./types.ts";

/** Support for tests only: CAs that roll, and what they would never sign. */

export const testNetwork = "corp";

export function newCa(): Promise<TestCa> {
  return createTestCa(testNetwork);
}

/** What a CA signs a roll with. */
export function signer({ anchor, key }: TestCa) {
  return { anchor, sign: (message: Uint8Array) => key.sign(message) };
}

/** A word on a roll; everything left out is as the CAs would write it. */
export function writeRoll(
  from: TestCa,
  to: TestCa,
  serial: number,
  stage: CaRoll["stage"] = "overlap",
  options: { readonly network?: string; readonly fromKey?: TestCa; readonly toKey?: TestCa } = {},
): Uint8Array<ArrayBuffer> {
  const { network = testNetwork, fromKey = from, toKey = to } = options;
  return signRoll(
    { network, serial, stage, issuedAt: 1_000 },
    { ...signer(fromKey), anchor: from.anchor },
    { ...signer(toKey), anchor: to.anchor },
  );
}
