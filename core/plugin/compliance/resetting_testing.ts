/** A Worker of the port streams' tests: resets the streams it is given, or counts the resets it reads. @module */
import { StreamResetError } from "../../sessions/errors.ts";
import { BufferPool } from "../buffer_pool.ts";
import { abandonPort, PortStream } from "../port_stream.ts";

/** What comes with the port of stream `id`. Its number decides how it ends. */
export interface ResettingTask {
  readonly id: number;
  readonly what: "reset" | "read";
}

interface Scope {
  onmessage: ((event: MessageEvent<ResettingTask>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;
const pool = new BufferPool();

scope.onmessage = ({ data: { id, what }, ports: [port] }) => {
  if (what === "read") {
    void read(new PortStream(port!, pool)).then((code) => scope.postMessage(code));
  } else if (id % 4 === 3) abandonPort(port!);
  else void reset(new PortStream(port!, pool), id);
};

/** Right behind no, a small or a large chunk. */
async function reset(stream: PortStream, id: number): Promise<void> {
  if (id % 4 > 0) await stream.write(new Uint8Array(id % 4 === 1 ? 100 : 20_000));
  stream.reset(7);
}

/** The code of the reset; -1 for an end in good order. */
async function read(stream: PortStream): Promise<number> {
  try {
    while (await stream.read() !== null);
    return -1;
  } catch (error) {
    return error instanceof StreamResetError ? error.resetCode : -2;
  }
}
