import assert from "node:assert/strict";
import type { GossipRecord } from "../gossip/types.ts";
import { PulseError } from "../errors/mod.ts";
import { emptyBody } from "../netconfig/mod.ts";
import { exitCapability, packetExitCapability } from "./exit_view.ts";
import { exitViews, type ExitViewsNode } from "./exit_views.ts";
import type { NodeOptions } from "./node_options.ts";

const range = "192.168.7.0/24";

/** What gossip says of an exit; all else of a record does not matter here. */
const announced = (id: string, ...capabilities: string[]) =>
  ({ id, report: { capabilities, exitCidrs: [range] } }) as unknown as GossipRecord;

function views(
  options: Partial<Pick<NodeOptions, "capabilities" | "exit">>,
  more: Partial<ExitViewsNode> = {},
) {
  return exitViews({ capabilities: [], ...options } as NodeOptions, {
    self: "self",
    body: () => ({
      ...emptyBody,
      routes: ["self", "a", "b"].map((via) => ({ cidr: range, via })),
    }),
    pathsVersion: () => "1",
    configVersion: () => "1",
    addresses: () => ["10.100.0.1", "fd00:1::1"],
    paths: () => ({ reason: "unknown", detail: "nobody" }) as never,
    findNode: () => {
      throw new PulseError("NODE_UNKNOWN", "No node is called so");
    },
    ...more,
  });
}

Deno.test("connections go through all exits, packets only through those that forward them", () => {
  const { exits, packetExits } = views({}, {
    paths: () => ({ paths: [{ nodes: ["self", "a"], score: 3 }] }) as never,
  });
  for (const view of [exits, packetExits]) {
    view.learned(announced("a", exitCapability));
    assert.equal(view.find("192.168.7.1")?.via, view === exits ? "a" : undefined);
    view.learned(announced("b", exitCapability, packetExitCapability));
    assert.ok(view.list().some(({ via, state }) => via === "b" && state !== "unannounced"));
    view.removed("a");
    assert.equal(view.find("192.168.7.1")?.via, "b");
  }
});

Deno.test("this node leads out by what it can do itself, and an exit without a path counts for nothing", () => {
  const exit = { cidrs: [range], use: null, killswitch: false };
  const { exits, packetExits } = views({ capabilities: [exitCapability], exit });
  assert.deepEqual([exits.own(), packetExits.own()], [[range], []]);
  packetExits.learned(announced("a", packetExitCapability));
  assert.equal(packetExits.find("192.168.7.1"), undefined);
});

Deno.test("an exit chosen by a name that nobody has is none, and the kill switch holds meanwhile", () => {
  const exit = { cidrs: [], use: "gone", killswitch: true };
  const { exits } = views({ exit });
  assert.equal(exits.use, "gone");
  assert.equal(exits.blocks("8.8.8.8"), true);
  assert.equal(exits.blocks("10.100.0.7"), false);
  const broken = views({ exit }, {
    findNode: () => {
      throw new TypeError("a fault of our own");
    },
  });
  assert.throws(() => broken.exits.blocks("8.8.8.8"), TypeError);
});
