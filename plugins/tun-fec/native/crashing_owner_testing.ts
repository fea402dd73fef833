/** Opens an interface and starts a loop, in the namespace it is told, and dies on the next message. @module */
import { PulseError } from "../../../core/errors/mod.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { inNamespace } from "../../../ffi/testing.ts";
import { Tun } from "../../../ffi/tun/tun.ts";
import { NativeLoop } from "../start_loop.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<string>) => void;
  postMessage(message: string): void;
};

scope.onmessage = ({ data: namespace }) => {
  const libc = Libc.open();
  inNamespace(libc, namespace, () => {
    const tun = { name: "mesh0", queues: [Tun.open(libc, { name: "mesh0" })] };
    const entry = new URL("./pipe_worker_testing.ts", import.meta.url);
    const heard = ({ say }: { say: string }) => scope.postMessage(say);
    new NativeLoop({ libc, tun, quic: null, share: false, heard, entry });
  });
  scope.onmessage = () => {
    throw new PulseError("TEST_CRASH", "told to die");
  };
};
