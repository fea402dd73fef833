import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { errorText } from "../../../core/errors/mod.ts";
import type { LoopPorts } from "../loop/ports.ts";
import type { LoopCommand, LoopEvent } from "../loop/types.ts";
import { ended, loaded, type LoopSetup, silentSeconds } from "./loop_setup.ts";
import { NativePorts } from "./native_ports.ts";
import { runTurns } from "./run_turns.ts";
import type { TurnLoop } from "./turn_loop.ts";

/** What a Worker is given and gives: the setup with a port for commands, then events. */
interface Scope {
  onmessage: ((event: MessageEvent<LoopSetup>) => void) | null;
  postMessage(message: LoopEvent | typeof loaded | typeof ended): void;
  close(): void;
}

/** The whole life of a loop's Worker: its entry calls this and nothing else. */
export function serveLoop(make: (ports: LoopPorts) => TurnLoop): void {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data: setup, ports: [port] }) => {
    scope.onmessage = null;
    if (port === undefined) throw new TypeError("a loop is started with a port for its commands");
    const say = (event: LoopEvent) => scope.postMessage(event);
    const commands = () =>
      receiveMessageOnPort(port as unknown as MessagePort)?.message as LoopCommand | undefined;
    try {
      using ports = new NativePorts(setup, say);
      const loop = make(ports);
      say({ say: "ready" });
      if (runTurns(loop, ports, setup, commands) === "forgotten") {
        say({
          say: "failed",
          error: `no sign of life from the control part in ${silentSeconds} s`,
        });
      }
    } catch (error) {
      say({ say: "failed", error: errorText(error) });
    }
    port.close();
    scope.postMessage(ended);
    scope.close();
  };
  scope.postMessage(loaded);
}
