import type { IncomingMessage, ServerResponse } from "node:http";
import { ControlError } from "./errors.ts";
import { maxBodyBytes } from "./request_body.ts";
import type { RequestHead } from "./request_head.ts";

/** A request as `node:http` has it, without its body. */
export function readHead(message: IncomingMessage, secure: boolean): RequestHead {
  const headers = new Map<string, string[]>();
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    const name = message.rawHeaders[i]!.toLowerCase();
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [message.rawHeaders[i + 1]!]);
    else values.push(message.rawHeaders[i + 1]!);
  }
  return {
    method: message.method ?? "",
    target: message.url ?? "",
    headers,
    localAddress: message.socket.localAddress ?? "",
    secure,
  };
}

/**
 * A request as the app takes it, with the whole body.
 * @param signal aborted when the client has gone
 * @throws {ControlError} BODY_TOO_LARGE, BODY_INVALID, HEADER_INVALID
 */
export async function readRequest(
  message: IncomingMessage,
  head: RequestHead,
  signal: AbortSignal,
): Promise<Request> {
  const { method, target } = head;
  const body = method === "GET" || method === "HEAD" ? null : await readBody(message);
  try {
    const headers = new Headers();
    for (const [name, values] of head.headers) {
      for (const value of values) headers.append(name, value);
    }
    // Always with a host of its own, so that no target, such as //evil/x, can name another.
    return new Request(`http://localhost${target}`, { method, headers, body, signal });
  } catch (cause) {
    throw new ControlError("HEADER_INVALID", "The request's head cannot be read", {}, cause);
  }
}

async function readBody(message: IncomingMessage): Promise<Uint8Array<ArrayBuffer> | null> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  try {
    for await (const chunk of message) {
      total += chunk.length;
      if (total > maxBodyBytes) break;
      parts.push(chunk);
    }
  } catch (cause) {
    throw new ControlError("BODY_INVALID", "The body ended too early", {}, cause);
  }
  if (total > maxBodyBytes) {
    throw new ControlError("BODY_TOO_LARGE", `The body is larger than ${maxBodyBytes} bytes`);
  }
  if (total === 0) return null;
  const body = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** What goes with every answer: nothing here is for a browser to show, keep, frame or guess the type of. */
const securityHeaders: readonly (readonly [string, string])[] = [
  ["cache-control", "no-store"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
];

/** The same, for answers that are written by hand. */
export const securityHeaderLines: string = securityHeaders.map(([name, value]) =>
  `${name}: ${value}\r\n`
).join("");

/** Sends an answer; a client that does not read it makes its source wait. Resolves when it is sent or the client gone. */
export async function sendResponse(response: Response, to: ServerResponse): Promise<void> {
  for (const [name, value] of securityHeaders) to.setHeader(name, value);
  for (const [name, value] of response.headers) to.setHeader(name, value);
  to.statusCode = response.status;
  if (response.body === null) {
    to.end();
    return;
  }
  const reader = response.body.getReader();
  let wake = () => {};
  const onDrain = () => wake();
  const onClose = () => {
    // Ends a read that is under way.
    reader.cancel().catch(() => {
      // It has failed or ended already.
    });
    wake();
  };
  to.on("drain", onDrain);
  to.on("close", onClose);
  try {
    for (;;) {
      const next = await reader.read();
      // Asked at every turn: a source that is always ready would never let the event itself come through.
      if (next.done || to.destroyed) break;
      if (to.write(next.value)) continue;
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (!to.destroyed) await drained;
    }
    to.end();
  } catch {
    // The source broke off: so does the answer, which is how its reader learns that it is not whole.
    to.destroy();
  } finally {
    to.off("drain", onDrain);
    to.off("close", onClose);
    onClose();
  }
}
