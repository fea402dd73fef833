import { formatHostPort } from "../../address/mod.ts";
import { errorText } from "../../errors/mod.ts";
import { networkServerName, nodeServerName } from "../../identity/mod.ts";
import { DialError, foreignHint, LinkRefusedError } from "../errors.ts";
import {
  defaultSessionLimits,
  type DialTarget,
  type LinkPolicy,
  type Session,
  SessionCloseCode,
  type SessionLimits,
  type Transport,
} from "../types.ts";
import { establish } from "./establish.ts";
import { openSocket, UpgradeRefused } from "./open_socket.ts";
import { checkPeer, tlsMaterial } from "./peer_check.ts";
import { WebSocketPipe } from "./websocket_pipe.ts";
import { MAX_MESSAGE_BYTES, RELAY_PATH, zeroMask } from "./websocket_wire.ts";
import { commonOptions } from "./ws_library.ts";

export interface WebSocketTransportOptions {
  readonly policy: LinkPolicy;
  readonly limits?: Partial<SessionLimits>;
}

/** Dials sessions over WebSocket in mutual TLS 1.3. Disposing it ends dials under way; sessions live on. */
export class WebSocketTransport implements Transport {
  readonly name = "websocket";
  readonly #policy: LinkPolicy;
  readonly #limits: SessionLimits;
  readonly #disposal = new AbortController();
  readonly #dials = new Set<Promise<unknown>>();

  constructor(options: WebSocketTransportOptions) {
    this.#policy = options.policy;
    this.#limits = { ...defaultSessionLimits, ...options.limits };
  }

  /**
   * @throws {LinkRefusedError} one end did not want the other
   * @throws {DialError} anything else that went wrong, the handshake's time limit included
   */
  async dial(target: DialTarget, options: { signal: AbortSignal }): Promise<Session> {
    options.signal.throwIfAborted();
    const attempt = new AbortController();
    const where = formatHostPort(target);
    const cancel = () => attempt.abort(options.signal.reason);
    const dispose = () => attempt.abort(new DialError(`the transport is closed`, { where }));
    const expire = () =>
      attempt.abort(
        new DialError(`no link to ${where} within ${this.#limits.handshakeTimeoutMs} ms`, {
          where,
        }),
      );
    const timer = setTimeout(expire, this.#limits.handshakeTimeoutMs);
    options.signal.addEventListener("abort", cancel, { once: true });
    this.#disposal.signal.addEventListener("abort", dispose, { once: true });
    if (this.#disposal.signal.aborted) dispose();
    const dial = this.#dial(target, attempt.signal);
    this.#dials.add(dial);
    try {
      return await dial;
    } catch (error) {
      throw dialError(error, target, options.signal);
    } finally {
      this.#dials.delete(dial);
      clearTimeout(timer);
      options.signal.removeEventListener("abort", cancel);
      this.#disposal.signal.removeEventListener("abort", dispose);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await Promise.allSettled(this.#dials);
  }

  async #dial(target: DialTarget, signal: AbortSignal): Promise<Session> {
    const { expect } = target;
    const policy = this.#policy;
    const { pipe, ...checked } = await openSocket(
      `wss://${formatHostPort(target)}${RELAY_PATH}`,
      {
        ...commonOptions,
        ...tlsMaterial(policy),
        servername: expect === undefined
          ? networkServerName(policy.network)
          : nodeServerName(expect, policy.network),
        minVersion: "TLSv1.3",
        rejectUnauthorized: true,
        followRedirects: false,
        maxPayload: MAX_MESSAGE_BYTES,
        generateMask: zeroMask,
      },
      signal,
      {
        check: ({ socket }) => ({
          peer: checkPeer(socket, policy, expect),
          remoteAddress: formatHostPort({
            host: socket.remoteAddress ?? target.host,
            port: target.port,
          }),
        }),
        open: (socket, checked) => ({ pipe: new WebSocketPipe(socket), ...checked }),
      },
    );
    return await establish(pipe, {
      ...checked,
      role: "dialler",
      policy,
      limits: this.#limits,
      signal,
    });
  }
}

/** What TLS says when the certificate is not from this network's CA. */
const foreignCodes: ReadonlySet<unknown> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
]);

function dialError(error: unknown, target: DialTarget, signal: AbortSignal): unknown {
  if (signal.aborted && error === signal.reason) return error;
  if (error instanceof LinkRefusedError || error instanceof DialError) return error;
  const where = formatHostPort(target);
  if (error instanceof UpgradeRefused && error.status === 403) {
    return new LinkRefusedError(
      `${where} does not accept this node's certificate${
        error.detail === "" ? "" : ` (${error.detail})`
      }`,
      SessionCloseCode.unauthenticated,
      { where, remote: true, reason: error.detail },
      error,
    );
  }
  const foreign = error instanceof Error && "code" in error && foreignCodes.has(error.code);
  return new DialError(
    `no WebSocket link to ${where}: ${errorText(error)}${foreign ? foreignHint : ""}`,
    { where, expect: target.expect, foreign },
    error,
  );
}
