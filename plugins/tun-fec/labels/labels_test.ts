import assert from "node:assert/strict";
import type { ByteStream } from "../../../core/sessions/types.ts";
import { memoryStreamPair } from "../../../core/streams/memory_stream.ts";
import { DatagramStream } from "../../../core/streams/mod.ts";
import { eventually } from "../../../tests/lab/mod.ts";
import { testId } from "../mesh/testing.ts";
import { IndexTable } from "./index_table.ts";
import { LabelLease } from "./label_lease.ts";
import { LabelLeases } from "./label_leases.ts";
import { encodeLabelMessage } from "./label_message.ts";
import { LabelServer, type LabelServerOptions } from "./label_server.ts";

const [a, r, s, b] = ["a", "b", "c", "d"].map(testId) as [string, string, string, string];

/** Relays that reach each other by memory streams. */
class Relays implements Disposable {
  readonly servers = new Map<string, LabelServer>();
  readonly streams: ByteStream[] = [];
  readonly serving: Promise<void>[] = [];
  changes = 0;

  add(id: string, more: Partial<LabelServerOptions> = {}): LabelServer {
    const server = new LabelServer({
      self: () => id,
      indexes: new IndexTable(Math.random),
      mayCarry: () => Promise.resolve(true),
      endpoint: (neighbour) => `to-${neighbour[0]}:1`,
      open: (relay) => Promise.resolve(this.open(id, relay)),
      changed: () => void this.changes++,
      log: () => {},
      ...more,
    });
    this.servers.set(id, server);
    return server;
  }

  open(from: string, relay: string): ByteStream {
    const [near, far] = memoryStreamPair();
    this.streams.push(near);
    this.serving.push(this.servers.get(relay)!.serve(far, from));
    return near;
  }

  ask(path: string[], receiver = 9): Promise<LabelLease> {
    return LabelLease.ask(this.open(a, path[1]!), { path, position: 1, receiver }, () => {});
  }

  [Symbol.dispose](): void {
    for (const server of this.servers.values()) server[Symbol.dispose]();
    for (const stream of this.streams) stream.reset();
  }
}

Deno.test("two relays make one path: each passes on to the next, the last with the receiver's own index", async () => {
  using relays = new Relays();
  const [first, second] = [relays.add(r), relays.add(s)];
  const lease = await relays.ask([a, r, s, b], 77);
  const [one] = first.tables();
  const [two] = second.tables();
  assert.deepEqual(one, { label: lease.label, endpoint: "to-c:1", next: two!.label });
  assert.deepEqual(two, { label: two!.label, endpoint: "to-d:1", next: 77 });
  lease.close();
  await lease.ended;
  await Promise.all(relays.serving);
  assert.deepEqual([first.tables(), second.tables()], [[], []]);
});

Deno.test("a relay carries nothing for who has no place on the path, for who is denied, or to where it cannot send", async () => {
  using relays = new Relays();
  relays.add(r, {
    mayCarry: (from, to) => Promise.resolve(from !== a || to !== b),
    endpoint: (neighbour) => neighbour === s ? undefined : "x:1",
    portMs: 20,
  });
  const refused = async (path: string[], code: string) => {
    await assert.rejects(
      relays.ask(path),
      (error: { code: string; fields: { reason: string } }) => {
        assert.deepEqual([error.code, error.fields.reason], ["TUN_LABEL_REFUSED", code]);
        return true;
      },
    );
  };
  await refused([s, r, b], "TUN_LABEL_PATH");
  await refused([a, r, b], "STREAM_DENIED");
  await refused([a, r, s], "TUN_LABEL_NO_PORT");
  await Promise.all(relays.serving);
});

Deno.test("a relay that does not know yet where the next node's data port is waits for it", async () => {
  using relays = new Relays();
  const known: string[] = [];
  let asked = Promise.withResolvers<void>();
  const server = relays.add(r, {
    endpoint: () => {
      asked.resolve();
      return known[0];
    },
  });
  const asking = relays.ask([a, r, b]);
  await asked.promise;
  asked = Promise.withResolvers();
  server.tables();
  await asked.promise;
  known.push("x:1");
  server.tables();
  const { label } = await asking;
  assert.deepEqual(server.tables(), [{ label, endpoint: "x:1", next: 9 }]);
});

Deno.test("rules that turn against a path end it at every hop", async () => {
  using relays = new Relays();
  let allowed = true;
  const first = relays.add(r);
  const second = relays.add(s, { mayCarry: () => Promise.resolve(allowed) });
  const lease = await relays.ask([a, r, s, b]);
  await second.recheck();
  assert.equal(first.tables().length, 1);
  allowed = false;
  await second.recheck();
  await lease.ended;
  await Promise.all(relays.serving);
  assert.deepEqual(first.tables(), []);
});

Deno.test("a relay that answers no pings is doubted, believed again when it does, and given up in the end", async () => {
  const [near, far] = memoryStreamPair();
  let doubts = 0;
  const asking = LabelLease.ask(
    near,
    { path: [a, r, b], position: 1, receiver: 1 },
    () => void doubts++,
    { pingMs: 10, doubtMs: 40, deadMs: 300 },
  );
  const messages = new DatagramStream(far);
  await messages.receive();
  await messages.send(encodeLabelMessage(["label", 5]));
  const lease = await asking;
  assert.equal(lease.label, 5);
  await eventually(() => lease.doubtful, { what: "doubt", intervalMs: 5 });
  await messages.send(encodeLabelMessage(["pong"]));
  await eventually(() => doubts >= 2, { what: "belief", intervalMs: 5 });
  assert.match(await lease.ended, /the relay is gone/);
});

Deno.test("a relay that doubts the next one answers no pings itself", async () => {
  using relays = new Relays();
  relays.add(r);
  relays.add(s);
  const [near, far] = memoryStreamPair();
  // The second relay says which label, and then nothing.
  relays.servers.get(s)!.serve = async (stream) => {
    const messages = new DatagramStream(stream);
    await messages.receive();
    await messages.send(encodeLabelMessage(["label", 5]));
    await stream.closed.catch(() => {/* the end of the test */});
  };
  relays.serving.push(relays.servers.get(r)!.serve(far, a));
  const ask = { path: [a, r, s, b], position: 1, receiver: 1 };
  const times = { pingMs: 20, doubtMs: 600, deadMs: 30_000 };
  const lease = await LabelLease.ask(near, ask, () => {}, times);
  assert.equal(lease.doubtful, false);
  await eventually(() => lease.doubtful, { what: "doubt", intervalMs: 20 });
  lease.close();
  await lease.ended;
});

Deno.test("what is no message ends the stream and nothing else", async () => {
  using relays = new Relays();
  relays.add(r);
  const stream = relays.open(a, r);
  await new DatagramStream(stream).send(new Uint8Array([1, 2, 3]));
  await Promise.all(relays.serving);
  await assert.rejects(stream.read());
});

Deno.test("leases are asked for as long as they are wanted, and again when they end", async () => {
  using relays = new Relays();
  const server = relays.add(r);
  let refuse = true;
  let changes = 0;
  using leases = new LabelLeases({
    open: (relay) => {
      if (refuse) return Promise.reject(new Error("out of reach"));
      return Promise.resolve(relays.open(a, relay));
    },
    changed: () => void changes++,
    log: () => {},
  });
  const lease = { path: [a, r, b], receiver: 3 };
  leases.want([lease]);
  assert.equal(leases.label(lease), undefined);
  refuse = false;
  const first = await eventually(() => leases.label(lease), { what: "a label" });
  assert.deepEqual(server.tables(), [{ label: first, endpoint: "to-d:1", next: 3 }]);
  assert.equal(changes, 1);
  relays.streams.at(-1)!.reset();
  await eventually(() => leases.label(lease) !== first && leases.label(lease), {
    what: "another label",
  });
  leases.want([]);
  assert.ok(leases.label(lease) !== undefined, "it is kept for what is still on its way");
  await eventually(() => server.tables().length === 0, { what: "the label to be given back" });
  assert.equal(leases.label(lease), undefined);
});
