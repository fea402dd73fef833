import type { Credentials } from "../identity/types.ts";
import type { ConfigStore } from "./config_store.ts";
import { encodeDocument, parseBody } from "./document.ts";
import { NetConfigError } from "./errors.ts";
import { positionText } from "./position.ts";
import { signConfig } from "./signed_config.ts";
import type { ConfigPosition } from "./types.ts";

export interface Draft {
  readonly body: unknown;
  readonly note: string;
  /** What the writer has seen: of two who have seen the same, one comes too late. */
  readonly expect: ConfigPosition;
}

/**
 * The next version, signed. It is not in force before the store has it.
 * @param now wall clock, ms
 * @throws {NetConfigError} NETCONFIG_NOT_SCRIBE, NETCONFIG_CONFLICT, NETCONFIG_INVALID
 */
export function draftConfig(
  store: ConfigStore,
  draft: Draft,
  credentials: Credentials,
  now: number,
): Uint8Array<ArrayBuffer> {
  const { grant, config, isScribe } = store.state;
  const author = credentials.key.id;
  if (grant === null || !isScribe) {
    const scribe = grant?.grant.scribe ?? null;
    throw new NetConfigError(
      "NETCONFIG_NOT_SCRIBE",
      scribe === null
        ? `node ${author} is not the scribe, nobody is: run "pulse ca grant scribe ${author}" at the CA`
        : `node ${author} is not the scribe: the CA granted that to ${scribe}`,
      { scribe },
    );
  }
  const current = positionText(store.position);
  if (store.awaitsBase) {
    const base = positionText(grant.grant.base!);
    throw new NetConfigError(
      "NETCONFIG_CONFLICT",
      `network config ${base}, on which this node's grant rests, has not arrived here yet: try again when it has`,
      { expected: base, current },
    );
  }
  const expected = positionText(draft.expect);
  if (expected !== current) {
    throw new NetConfigError(
      "NETCONFIG_CONFLICT",
      `the change was made to network config ${expected}, in force is ${current}: look at it and try again`,
      { expected, current },
    );
  }
  const document = encodeDocument({
    network: grant.grant.network,
    epoch: grant.grant.epoch,
    version: store.floor.version + 1,
    parent: config?.hash ?? null,
    author,
    createdAt: now,
    note: draft.note,
    body: parseBody(draft.body),
  });
  return signConfig({
    grant,
    certificate: credentials.certificate,
    document,
    sign: (message) => credentials.key.sign(message),
  });
}
