/** The packet loop's own thread: a Worker that `NativeLoop` starts. @module */
import { PacketLoop } from "./loop/loop.ts";
import { serveLoop } from "./native/serve_loop.ts";

serveLoop((ports) => new PacketLoop(ports));
