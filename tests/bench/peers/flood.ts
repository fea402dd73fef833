/**
 * Sends datagrams that mean nothing, so many a second: `flood.ts HOST`. Reads JSON commands: `{"port", "perSecond", "head"}` begins, `head`
 * being the hexadecimal bytes that each begins with; `{"sent": true}` tells how many it were so far, `{"stop": true}` ends and tells
 * how many a second. In trains, which the
 * sender's cable is to cut: so that it costs next to nothing but what any sender's kernel does.
 * @module
 */
import { Arena } from "../../../ffi/libc/arena.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { SendBatch } from "../../../ffi/udp/send_batch.ts";
import { AddressSlot } from "../../../ffi/udp/socket_address.ts";
import { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import { answerCommands } from "../json_child.ts";

const size = 200;
const train = 50;
const everyMs = 1;

const [host = ""] = Deno.args;
using libc = Libc.open();
using arena = new Arena(libc, 1 << 20);
using socket = UdpSocket.bind(libc, { address: "0.0.0.0", port: 0, gro: false, tos: false });
const to = new AddressSlot(arena, socket.family);
const batch = new SendBatch(libc, arena, 1);
const at = arena.allocate(size * train);
let timer: ReturnType<typeof setInterval> | undefined;
let sent = 0;
let began = 0;

await answerCommands((command) => {
  if (command["sent"] === true) return Promise.resolve({ sent });
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1_000;
  if (command["stop"] === true) return Promise.resolve({ perSecond: sent / seconds });
  const { port, perSecond, head } = command as { port: number; perSecond: number; head: string };
  to.set({ address: host, port });
  crypto.getRandomValues(arena.bytes.subarray(at, at + size * train));
  for (let n = 0; n < train; n++) arena.bytes.set(Uint8Array.fromHex(head), at + n * size);
  batch.set(0, to, at, size * train, size);
  [sent, began] = [0, performance.now()];
  timer = setInterval(() => {
    const due = (performance.now() - began) / 1_000 * perSecond;
    while (sent + train <= due) {
      // What the kernel does not take is sent later: a closed port's answer is reported as an error of the next send.
      if (batch.send(socket, 0, 1) !== 1) break;
      sent += train;
    }
  }, everyMs);
  return Promise.resolve({});
});
clearInterval(timer);
