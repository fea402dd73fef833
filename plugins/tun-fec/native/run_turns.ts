import { EventFd } from "../../../ffi/libc/event_fd.ts";
import { Poller, Ready } from "../../../ffi/libc/poller.ts";
import type { LoopCommand } from "../loop/types.ts";
import { type LoopSetup, silentSeconds } from "./loop_setup.ts";
import type { NativePorts } from "./native_ports.ts";
import type { TurnLoop } from "./turn_loop.ts";

/** The longest sleep. */
const longestWaitMs = 1_000;

/** Under a flood that never ends time goes on after this. */
const longestOverdueMs = 20;

/** Queues of the interface come after these. */
const slot = { wire: 0, wake: 1, queues: 2 } as const;

/**
 * Drives a loop until it is told to stop, or nobody is there who could tell it. The thread does nothing else: it sleeps in poll() until a packet comes, a command, or
 * the time the loop has named; nothing of JavaScript's own event loop runs meanwhile.
 *
 * @param commands takes the next command that has been told
 * @param patience seconds without a sign of life
 */
export function runTurns(
  loop: TurnLoop,
  ports: NativePorts,
  setup: LoopSetup,
  commands: () => LoopCommand | undefined,
  patience: number = silentSeconds,
): "stopped" | "forgotten" {
  const { libc, memory, tun, wire } = ports;
  const poller = new Poller(libc, memory, slot.queues + setup.queues.length);
  const wake = new EventFd(libc, memory, setup.wake);
  setup.queues.forEach((fd, index) => poller.set(slot.queues + index, fd, Ready.read));
  poller.set(slot.wake, setup.wake, Ready.read);
  let watched = 0;
  let due = 0;
  let second = performance.now() + 1_000;
  let silent = 0;
  while (silent < patience) {
    const wanted = wire.full ? Ready.read | Ready.write : Ready.read;
    if (wanted !== watched) poller.set(slot.wire, setup.socket.fd, watched = wanted);
    const left = wire.holds ? 0 : Math.ceil(due - performance.now());
    poller.wait(Math.max(0, Math.min(left, longestWaitMs)));
    let stirred = false;
    if (poller.ready(slot.wake) !== 0) {
      // Cleared first: what is told from now on makes it readable again.
      wake.clear();
      silent = 0;
      for (let command = commands(); command !== undefined; command = commands()) {
        if (command.do === "stop") return "stopped";
        loop.command(command, performance.now());
        stirred = true;
      }
    }
    let packets = false;
    for (let index = 0; index < setup.queues.length; index++) {
      const ready = poller.ready(slot.queues + index) !== 0;
      tun.mayRead(index, ready);
      if (ready) packets = true;
    }
    const ofWire = poller.ready(slot.wire);
    // An error that waits on the socket is taken by the next call.
    wire.mayReceive = (ofWire & ~Ready.write) !== 0;
    if ((ofWire & Ready.write) !== 0) wire.full = false;
    const now = performance.now();
    if (packets || ofWire !== 0 || wire.holds) {
      loop.turn(now);
      stirred = true;
    }
    // Time stands still until everything is taken that had come by then: on a busy machine a thread may be stopped for longer
    // than anything is waited for, and what it waits for is there.
    const drained = !wire.mayReceive && !wire.holds;
    // What was carried may wait for less than what was waited for before.
    if (drained ? stirred || now >= due : now - due > longestOverdueMs) due = now + loop.tick(now);
    if (now >= second) {
      second = now + 1_000;
      silent++;
    }
  }
  return "forgotten";
}
