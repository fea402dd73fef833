import assert from "node:assert/strict";
import { PulseError } from "../../../core/errors/mod.ts";
import type { Json } from "../../../core/plugin/types.ts";
import { Errno } from "../../../ffi/libc/errno.ts";
import { FfiError, syscallError } from "../../../ffi/libc/errors.ts";
import { eventually } from "../../../tests/lab/mod.ts";
import type { WantedState } from "../interface/wanted_state.ts";
import type { LoopEvent } from "../loop/types.ts";
import { meshNode, meshSnapshot } from "../mesh/testing.ts";
import { PacketTunnel } from "./packet_tunnel.ts";
import { FakeLoop } from "./testing.ts";

/** A tunnel of fake parts, and what happened to them in order. */
function makeTunnel() {
  const happened: string[] = [];
  const applied: WantedState[] = [];
  const heard: ((event: LoopEvent) => void)[] = [];
  const world = {
    joined: false,
    mesh: meshSnapshot(),
    failure: undefined as PulseError | undefined,
    missing: undefined as FfiError | undefined,
  };
  const tunnel = new PacketTunnel({
    config: { name: "pulse0", fec: false, queues: 1 },
    parts: {
      openInterface: () => {
        if (world.missing !== undefined) throw world.missing;
        happened.push("interface");
        return {
          name: "pulse0",
          apply: (wanted) => void applied.push(wanted),
          [Symbol.dispose]: () => void happened.push("no interface"),
        };
      },
      startLoop: (_tun, quic, share, listen) => {
        happened.push(`loop at ${quic} ${share ? "shared" : "apart"}`);
        heard.push(listen);
        const loop = Object.assign(new FakeLoop(), { port: share ? 0 : 4_500 });
        loop[Symbol.asyncDispose] = () => {
          happened.push("no loop");
          return Promise.resolve();
        };
        queueMicrotask(() => listen({ say: "ready" }));
        return Promise.resolve(loop);
      },
    },
    host: {
      call: (_service, method, argument) => {
        if (!world.joined) return Promise.reject(new PulseError("NODE_NOT_JOINED", "not yet"));
        const { known } = argument as { known: number };
        const fresh = method === "snapshot" && world.mesh.version !== known;
        return Promise.resolve((fresh ? world.mesh : null) as unknown as Json);
      },
      openStream: () => Promise.reject(new Error("nobody there")),
      emit: (type) => void happened.push(type),
    },
    log: () => {},
    failed: (error) => void (world.failure = error),
  });
  const soon = (what: string, check: () => unknown) => eventually(check, { what, intervalMs: 10 });
  return { tunnel, happened, applied, heard, world, soon };
}

Deno.test("the interface is there at once, the loop when the node has joined, and both go in order", async () => {
  const { tunnel, happened, applied, world, soon } = makeTunnel();
  tunnel.start();
  assert.deepEqual(happened, ["interface"]);
  assert.equal(tunnel.health().detail, "waits until the node has joined");
  world.joined = true;
  await soon("addresses", () => applied.length > 0);
  assert.deepEqual(applied[0]!.addresses, [{ address: "10.100.0.1", prefixLength: 32 }]);
  assert.equal(tunnel.health().detail, "pulse0, QUIC's port, keys for 0 nodes");
  await tunnel[Symbol.asyncDispose]();
  assert.deepEqual(happened, [
    "interface",
    "loop at 192.0.2.1:8443 shared",
    "tun_up",
    "no loop",
    "no interface",
    "tun_down",
  ]);
});

Deno.test("another address of the node or of a peer reaches the interface while it runs", async () => {
  const { tunnel, applied, world, soon } = makeTunnel();
  world.joined = true;
  tunnel.start();
  await soon("addresses", () => applied.length > 0);
  const nodes = [meshNode("b", { addresses: ["172.20.0.2"] })];
  world.mesh = meshSnapshot({ version: 2, addresses: ["172.20.0.1"], nodes });
  tunnel.meshChanged();
  await soon("other addresses", () => applied.length > 1);
  assert.deepEqual(applied[1], {
    addresses: [{ address: "172.20.0.1", prefixLength: 32 }],
    routes: ["10.100.0.0/16", "172.20.0.2/32"],
  });
  await tunnel[Symbol.asyncDispose]();
});

Deno.test("where QUIC's port cannot be shared the loop is started anew with its own", async () => {
  const { tunnel, happened, heard, world, soon } = makeTunnel();
  world.joined = true;
  tunnel.start();
  await soon("the loop", () => happened.includes("tun_up"));
  heard[0]!({ say: "portUnshareable" });
  await soon("another loop", () => happened.includes("loop at 192.0.2.1:8443 apart"));
  await soon("its port", () => tunnel.health().detail.includes("UDP port 4500"));
  assert.equal(world.failure, undefined);
  await tunnel[Symbol.asyncDispose]();
});

Deno.test("a loop that fails ends the tunnel, and everything is given back before that is said", async () => {
  const { tunnel, happened, heard, world, soon } = makeTunnel();
  world.joined = true;
  tunnel.start();
  await soon("the loop", () => happened.includes("tun_up"));
  heard[0]!({ say: "failed", error: "readv failed with EBADFD" });
  await soon("the failure", () => world.failure);
  assert.deepEqual(happened.slice(-3), ["no loop", "no interface", "tun_down"]);
  assert.match(world.failure!.message, /readv failed with EBADFD/);
  await tunnel[Symbol.asyncDispose]();
});

Deno.test("what is missing for an interface is said in one line, and whether another try may help", () => {
  const failing = (error: FfiError) => {
    const { tunnel, world } = makeTunnel();
    world.missing = error;
    return () => tunnel.start();
  };
  assert.throws(failing(syscallError("ioctl(TUNSETIFF)", Errno.EPERM, "make pulse0")), {
    code: "TUN_MISSING",
    message: "There is no packet tunnel, everything else works: cannot make pulse0: " +
      "ioctl(TUNSETIFF) failed with EPERM (1); run as root or with CAP_NET_ADMIN",
    fields: { permanent: true },
  });
  assert.throws(failing(new FfiError("FFI_PERMISSION", "start deno with --allow-ffi")), {
    message: "There is no packet tunnel, everything else works: start deno with --allow-ffi",
    fields: { permanent: true },
  });
  assert.throws(failing(syscallError("ioctl(TUNSETIFF)", Errno.EBUSY, "make pulse0")), {
    fields: { permanent: false },
  });
});

Deno.test("a tunnel that is stopped before the node has joined gives its interface back", async () => {
  const { tunnel, happened } = makeTunnel();
  tunnel.start();
  await tunnel[Symbol.asyncDispose]();
  assert.deepEqual(happened, ["interface", "no interface"]);
});
