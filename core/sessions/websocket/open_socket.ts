import type { IncomingMessage } from "node:http";
import { type ClientOptions, WebSocket } from "./ws_library.ts";

/** The HTTP answer that was not an upgrade. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly detail: string;
  constructor(status: number, detail: string) {
    super(`HTTP status ${status}${detail === "" ? "" : ` (${detail})`}`);
    this.status = status;
    this.detail = detail;
  }
}

/** The refusals' texts are short codes; nothing longer is looked at. */
const MAX_DETAIL_BYTES = 64;

/** What to do with a socket on its way. Both run synchronously: a message may follow the upgrade in the same packet. */
export interface SocketSteps<Checked, Opened> {
  /** Sees the TLS socket before anything is sent through it; throws to end the attempt. */
  check(response: IncomingMessage): Checked;
  /** Takes the socket over: has to listen for messages before it returns. */
  open(socket: WebSocket, checked: Checked): Opened;
}

/**
 * Connects and upgrades.
 * @throws {UpgradeRefused} the server answered something else; the signal's reason; or the transport's own error
 */
export function openSocket<Checked, Opened>(
  url: string,
  options: ClientOptions,
  signal: AbortSignal,
  steps: SocketSteps<Checked, Opened>,
): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  if (signal.aborted) return Promise.reject(signal.reason);
  const socket = new WebSocket(url, options);
  const fail = (error: unknown) => {
    signal.removeEventListener("abort", abort);
    reject(error);
    socket.terminate();
  };
  const abort = () => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  let checked: { value: Checked } | undefined;
  socket.on("error", fail);
  socket.once("upgrade", (response) => {
    response.socket.setNoDelay(true);
    try {
      checked = { value: steps.check(response) };
    } catch (error) {
      fail(error);
    }
  });
  socket.once("unexpected-response", (_request, response) => {
    void readDetail(response).then((detail) =>
      fail(new UpgradeRefused(response.statusCode ?? 0, detail))
    );
  });
  socket.once("open", () => {
    signal.removeEventListener("abort", abort);
    if (checked !== undefined) resolve(steps.open(socket, checked.value));
  });
  return promise;
}

/** The beginning of a refusal's body, when it is a plain word. */
function readDetail(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const done = () => {
      response.destroy();
      resolve(/^[A-Z_]{1,64}$/.test(text) ? text : "");
    };
    response.on("data", (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk.subarray(0, MAX_DETAIL_BYTES));
      if (text.length >= MAX_DETAIL_BYTES) done();
    });
    response.once("end", done);
    response.once("error", done);
    response.once("close", done);
  });
}
