import assert from "node:assert/strict";
import { seededRandom } from "../../../core/router/testing.ts";
import { burstyLoss, type LossModel, randomLoss } from "../../../tests/lab/loss_model.ts";
import { overheadCap } from "../fec/scheme.ts";
import { makeSuperPacket } from "../super_packet/testing.ts";
import { virtioHeader } from "../super_packet/virtio_header.ts";
import { segmentKind } from "../wire/segment.ts";
import { cut, type Datagrams, fromTun } from "./testing.ts";
import { exchangeKeys, makePair, settle } from "./testing_mesh.ts";

const isParity = ({ bytes }: Datagrams) => bytes[3] === segmentKind.parity;

/** Two nodes that want parity, on a path that loses what it is told to. */
function makeLossy(fec = { a: true, b: true }, seed = 1) {
  const pair = makePair({ ofB: { fec: fec.a }, ofA: { fec: fec.b } });
  const { network, a, b } = pair;
  const random = seededRandom(seed);
  let model: LossModel | undefined;
  /** Milliseconds that what comes back takes, and what is under way. */
  let delay = 0;
  const held: { readonly at: number; readonly message: Datagrams }[] = [];
  const count = { data: 0, parity: 0, dataBytes: 0, parityBytes: 0 };
  network.change = (message) =>
    cut(message).filter((each) => {
      const kind = isParity(each) ? "parity" : "data";
      count[kind]++;
      count[`${kind}Bytes`] += each.bytes.length;
      if (model?.next() === true) return false;
      if (each.to !== a.ports.wire.here || delay === 0) return true;
      held.push({ at: now + delay, message: each });
      return false;
    });
  let port = 0;
  const ever = new Set<string>();
  let now = 1_000;
  /** Sends so many packets a step of 5 ms, or every so many steps. @returns what arrived of them */
  const run = (steps: number, each: number, packet: (n: number) => Uint8Array, every = 1) => {
    const sent = new Set<string>();
    const before = b.ports.tun.received.length;
    count.data =
      count.parity =
      count.dataBytes =
      count.parityBytes =
        0;
    for (let step = 0; step < steps; step++, now += 5) {
      for (let i = 0; step % every === 0 && i < each; i++) {
        const one = packet(port++);
        sent.add(one.toHex());
        ever.add(one.toHex());
        a.ports.tun.sent.push(one);
      }
      while (held.length > 0 && held[0]!.at <= now) {
        a.ports.wire.arrived.push(held.shift()!.message);
      }
      settle([a, b], now);
      for (const { loop } of [a, b]) loop.tick(now);
    }
    // So that nothing is still under way.
    for (let i = 0; i < 20; i++, now += 5) {
      for (const { loop } of [a, b]) loop.tick(now);
      settle([a, b], now);
    }
    const received = b.ports.tun.received.slice(before).map((one) => one.toHex());
    const arrived = received.filter((one) => sent.has(one)).length;
    assert.equal(new Set(received).size, received.length, "nothing comes twice");
    return {
      residual: 1 - arrived / sent.size,
      others: received.filter((one) => !ever.has(one)).length,
    };
  };
  return {
    ...pair,
    count,
    run,
    /** As in a queue that has filled up. */
    hold: (ms: number) => delay = ms,
    lose: (share: number, burst = 1) => {
      model = burst === 1 ? randomLoss(share, random) : burstyLoss(share, burst, random);
    },
  };
}

const udp = (n: number) =>
  fromTun({
    source: "10.100.0.1",
    destination: "10.100.0.2",
    protocol: "udp",
    payload: Uint8Array.from({ length: 450 + n % 50 }, (_, i) => i === 0 ? n : n >> 8),
  });

Deno.test("without loss there is no parity, and nobody speaks of loss", () => {
  const { run, count, network, a, b } = makeLossy();
  network.log.length = 0;
  const { residual } = run(200, 20, udp);
  assert.deepEqual([residual, count.parity], [0, 0]);
  // What comes back is about the size of the path.
  assert.ok(network.log.filter(({ to }) => to !== b.ports.wire.here).length < 40);
  assert.deepEqual([a.stats().peers[0]?.lost, b.stats().peers[0]?.lost], [0, 0]);
});

for (const burst of [1, 4]) {
  for (const [share, bound] of [[0.01, 0.001], [0.05, 0.002], [0.1, 0.005]] as const) {
    const runs = burst === 1 ? "at random" : `in runs of ${burst}`;
    Deno.test(`of ${share * 100} % lost ${runs}, ${bound * 100} % stay lost, at the cost of a third at most`, () => {
      // One burst more or less is half of what may stay lost of one run at 1 %.
      const seeds = burst === 1 ? [1] : [1, 2, 3, 4];
      let stayed = 0;
      for (const seed of seeds) {
        const { run, count, lose, b } = makeLossy(undefined, seed);
        lose(share, burst);
        run(100, 20, udp);
        const before = b.stats().peers[0]!;
        const { residual, others } = run(200, 30, udp);
        stayed += residual / seeds.length;
        assert.equal(others, 0);
        assert.ok(count.parityBytes <= count.dataBytes * overheadCap);
        const after = b.stats().peers[0]!;
        const lost = (after.lost - before.lost) / 6_000;
        const repaired = (after.repaired - before.repaired) / 6_000;
        assert.ok(Math.abs(lost - share) < share / 4 * burst, `${lost} were lost`);
        assert.ok(Math.abs(repaired - lost) < share / 2, `${repaired} were repaired`);
      }
      assert.ok(stayed <= bound, `${stayed}`);
    });
  }
}

for (const [each, steps, bound, most] of [[2, 1, 0.02, 64], [1, 2, 0.01, 20]] as const) {
  const pace = 1_000 / 5 * each / steps;
  Deno.test(`a slow flow of ${pace} a second gets rounds that are over soon, and fill all the same`, () => {
    const { run, lose, count, network } = makeLossy();
    lose(0.05, each);
    const slow = (packets: number) => {
      let lost = 0;
      for (let i = 0; i < packets / each; i += 1_000) {
        lost += run(1_000, each, udp, steps).residual / (packets / each / 1_000);
      }
      return lost;
    };
    slow(2_000);
    network.log.length = 0;
    const residual = slow(4_000);
    assert.ok(residual < bound, `${residual}`);
    assert.ok(count.parityBytes <= count.dataBytes * overheadCap);
    const rounds = network.log.filter(isParity).map(({ bytes }) => bytes[16]! * bytes[17]!);
    // What comes in 80 ms, and as much again while the pace is not known.
    assert.ok(rounds.length > 100 && Math.max(...rounds) <= most, `${Math.max(...rounds)}`);
    const mean = rounds.reduce((sum, one) => sum + one, 0) / rounds.length;
    assert.ok(mean > most / 5, `${mean} segments in a round`);
  });
}

for (const [each, pace] of [[2, "at leisure"], [20, "as many as a turn takes"]] as const) {
  Deno.test(`super-packets come whole although segments of them were lost, ${pace}`, () => {
    const bulk = (n: number) => {
      const packet = makeSuperPacket({
        six: false,
        protocol: "tcp",
        payload: new Uint8Array(30_000).fill(n),
        gsoSize: 1_360,
      });
      new DataView(packet.buffer).setUint32(virtioHeader + 24, n * 30_000);
      return packet;
    };
    const { run, lose, a, b } = makeLossy();
    a.ports.wire.mtu = b.ports.wire.mtu = 1_472;
    lose(0.01);
    run(400 / each, each, bulk);
    const { residual } = run(400 / each, each, bulk);
    assert.ok(residual < 0.01, `${residual} of packets with 22 segments each`);
  });
}

Deno.test("parity ends a while after the loss has ended", () => {
  const { run, count, lose } = makeLossy();
  lose(0.02);
  run(60, 20, udp);
  assert.ok(count.parity > 0);
  lose(0);
  run(150, 50, udp);
  const { residual } = run(30, 50, udp);
  assert.deepEqual([count.parity, residual], [0, 0]);
});

Deno.test("loss on a path whose round trips have grown gets no parity, until they are short again", () => {
  const { run, count, lose, hold } = makeLossy();
  lose(0.05);
  run(200, 10, udp);
  assert.ok(count.parity > 0);
  hold(60);
  run(800, 5, udp);
  run(100, 5, udp);
  assert.equal(count.parity, 0);
  hold(0);
  run(300, 10, udp);
  run(100, 10, udp);
  assert.ok(count.parity > 0);
});

Deno.test("it takes both ends: one that wants none gets none and reports nothing", () => {
  for (const fec of [{ a: false, b: true }, { a: true, b: false }]) {
    const { run, count, lose, b } = makeLossy(fec);
    lose(0.05);
    run(100, 20, udp);
    assert.equal(count.parity, 0);
    assert.ok(b.stats().peers[0]!.lost > 50, "it is counted all the same");
    assert.equal(b.stats().peers[0]!.repaired, 0);
  }
});

Deno.test("a new key takes protection over", () => {
  const { run, lose, a, b } = makeLossy();
  lose(0.05);
  run(60, 20, udp);
  exchangeKeys(a, b, 2);
  a.loop.command({ do: "forget", peer: 1, epoch: 1 }, 0);
  b.loop.command({ do: "forget", peer: 1, epoch: 1 }, 0);
  const before = b.stats().peers[0]!.repaired;
  run(15, 20, udp);
  assert.ok(b.stats().peers[0]!.repaired > before);
});

Deno.test("parity that was changed on the way brings nothing in that was not sent", () => {
  const { run, lose, network } = makeLossy();
  lose(0.05);
  run(60, 20, udp);
  const change = network.change;
  network.change = (message) =>
    change(message).map((each) => {
      if (!isParity(each)) return each;
      const bytes = each.bytes.slice();
      bytes[22 + bytes.length % 40]! ^= 4;
      return { ...each, bytes };
    });
  const { others, residual } = run(100, 20, udp);
  assert.equal(others, 0);
  assert.ok(residual > 0.02 && residual < 0.08, `${residual}`);
});

Deno.test("segments that are protected leave room for their parity in the path", () => {
  const { run, lose, network } = makeLossy();
  lose(0.02);
  network.log.length = 0;
  run(60, 20, udp);
  run(20, 2, (n) =>
    makeSuperPacket({
      six: true,
      protocol: "tcp",
      payload: new Uint8Array(50_000).fill(n),
      gsoSize: 1_360,
    }));
  const largest = (parity: boolean) =>
    Math.max(
      ...network.log.filter((one) => isParity(one) === parity && one.segment < 3_000)
        .map(({ segment }) => segment),
    );
  assert.ok(largest(true) <= 1_472, `${largest(true)}`);
});
