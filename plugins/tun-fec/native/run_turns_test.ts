import assert from "node:assert/strict";
import { Arena } from "../../../ffi/libc/arena.ts";
import { EventFd } from "../../../ffi/libc/event_fd.ts";
import { Libc } from "../../../ffi/libc/libc.ts";
import { UdpSocket } from "../../../ffi/udp/udp_socket.ts";
import type { LoopCommand } from "../loop/types.ts";
import { NativePorts } from "./native_ports.ts";
import { runTurns } from "./run_turns.ts";
import { NativeWirePort } from "./wire_port.ts";
import type { TurnLoop } from "./turn_loop.ts";

/** What a loop's thread has, with an event where the interface would be. */
class Thread implements Disposable {
  readonly libc = Libc.open();
  readonly arena = new Arena(this.libc, 4096);
  readonly tun = new EventFd(this.libc, this.arena);
  readonly wake = new EventFd(this.libc, this.arena);
  readonly socket = UdpSocket.bind(this.libc, { address: "127.0.0.1", port: 0 });
  readonly setup = { queues: [this.tun.fd], wake: this.wake.fd, socket: this.socket };
  readonly ports = new NativePorts(this.setup, () => {});
  readonly happened: string[] = [];
  readonly commands: LoopCommand[] = [];

  run(loop: Partial<TurnLoop>, patience?: number) {
    const whole: TurnLoop = {
      command: ({ do: what }) => this.happened.push(what),
      turn: () => this.happened.push("turn"),
      tick: () => 1_000_000,
      ...loop,
    };
    return runTurns(whole, this.ports, this.setup, () => this.commands.shift(), patience);
  }

  [Symbol.dispose](): void {
    this.ports[Symbol.dispose]();
    this.socket[Symbol.dispose]();
    this.tun[Symbol.dispose]();
    this.wake[Symbol.dispose]();
    this.arena[Symbol.dispose]();
    this.libc[Symbol.dispose]();
  }
}

Deno.test("commands come in their order, and what is told after stop is not done", () => {
  using thread = new Thread();
  thread.commands.push({ do: "stats" }, { do: "interfaceMtu", mtu: 1400 }, { do: "stop" });
  thread.commands.push({ do: "stats" });
  thread.wake.signal();
  thread.run({});
  assert.deepEqual(thread.happened, ["stats", "interfaceMtu"]);
});

Deno.test("a turn is had when a port has something, and only such ports are asked", () => {
  using thread = new Thread();
  const { ports } = thread;
  thread.tun.signal();
  thread.run({
    turn: () => {
      thread.happened.push(`${ports.tun.readable} ${ports.wire.mayReceive}`);
      thread.tun.clear();
      thread.commands.push({ do: "stop" });
      thread.wake.signal();
    },
  });
  assert.deepEqual(thread.happened, ["true false"]);
});

Deno.test("a full socket is waited for, and taken for full no more", () => {
  using thread = new Thread();
  const { ports } = thread;
  ports.wire.full = true;
  thread.run({
    turn: () => {
      thread.happened.push(`${ports.wire.full}`);
      thread.commands.push({ do: "stop" });
      thread.wake.signal();
    },
  });
  assert.deepEqual(thread.happened, ["false"]);
});

Deno.test("time does not go on before everything is taken that has come by then", () => {
  using thread = new Thread();
  const { ports, libc, happened } = thread;
  using sender = UdpSocket.bind(libc, { address: "127.0.0.1", port: 0 });
  const wire = new NativeWirePort(libc, ports.memory, sender);
  const to = wire.address(`127.0.0.1:${thread.socket.address.port}`);
  assert.equal(wire.send(to, 0, 100, 100, 0), 100);
  const at = ports.memory.allocate(1 << 16);
  thread.run({
    turn: () => {
      // The third one takes what is there.
      if (happened.push("turn") < 4) return;
      while (ports.wire.receive(at, 1 << 16) >= 0);
      thread.commands.push({ do: "stop" });
      thread.wake.signal();
    },
    tick: () => {
      happened.push("tick");
      return 1_000_000;
    },
  });
  // The first tick is due from the start.
  assert.deepEqual(happened, ["turn", "tick", "turn", "turn", "tick"]);
});

Deno.test("time is told when the loop asked for it", () => {
  using thread = new Thread();
  const times: number[] = [];
  thread.run({
    tick: (now) => {
      times.push(now);
      if (times.length === 3) {
        thread.commands.push({ do: "stop" });
        thread.wake.signal();
      }
      return 20;
    },
  });
  assert.equal(times.length, 3);
  assert.ok(times[1]! - times[0]! >= 19 && times[2]! - times[1]! >= 19, `${times}`);
});

Deno.test("a loop that nobody gives a sign of life ends by itself", () => {
  using thread = new Thread();
  const began = performance.now();
  assert.equal(thread.run({}, 2), "forgotten");
  assert.ok(performance.now() - began >= 1_990);
  assert.deepEqual(thread.happened, []);
});
