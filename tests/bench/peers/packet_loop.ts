/**
 * A packet loop in a process of its own: `packet_loop.ts DEVICE ADDRESS [QUEUES]`. Reads JSON commands: `open` gives its port, `tell` is handed to
 * the loop, with keys as hexadecimal, `stats` gives what the loop says.
 * @module
 */
import { Libc } from "../../../ffi/libc/libc.ts";
import { TunInterface } from "../../../plugins/tun-fec/interface/tun_interface.ts";
import type { LoopCommand, LoopEvent } from "../../../plugins/tun-fec/loop/types.ts";
import { NativeLoop } from "../../../plugins/tun-fec/start_loop.ts";
import { answerCommands } from "../json_child.ts";

const [name = "mesh0", address = "", queues = "8"] = Deno.args;
using libc = Libc.open();
using link = TunInterface.open(libc, name, (_level, text) => console.error(text), Number(queues));
link.apply({ addresses: [{ address, prefixLength: 32 }], routes: ["10.90.0.0/24"] });
const ready = Promise.withResolvers<void>();
let stats = Promise.withResolvers<unknown>();

function heard(event: LoopEvent): void {
  if (event.say === "ready") ready.resolve();
  else if (event.say === "stats") stats.resolve(event.stats);
  else if (event.say === "failed") {
    console.error(event.error);
    Deno.exit(1);
  }
}

await using loop = new NativeLoop({ libc, tun: link, quic: null, share: false, heard });

function revived(command: LoopCommand): LoopCommand {
  if (command.do !== "receive" && command.do !== "seal") return command;
  const key = Uint8Array.fromHex(command.key.key as unknown as string);
  return { ...command, key: { ...command.key, key } };
}

await answerCommands(async (command) => {
  if (command["do"] === "open") {
    await ready.promise;
    return { port: loop.port };
  }
  if (command["do"] === "stats") {
    stats = Promise.withResolvers();
    loop.tell({ do: "stats" });
    return { stats: await stats.promise };
  }
  loop.tell(...(command["tell"] as LoopCommand[]).map(revived));
  return {};
});
