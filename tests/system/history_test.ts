import assert from "node:assert/strict";
import type { HistoryEvent, StatsAnswer } from "../../core/history/types.ts";
import { type Daemon, labTest } from "../lab/mod.ts";
import { SmallDisk } from "./fixtures/small_disk.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0"];

interface Pair {
  readonly mesh: SystemMesh;
  readonly ca: Daemon;
  readonly member: Daemon;
}

/** A CA and a node that joined while it was running. */
async function startPair(mesh: SystemMesh): Promise<Pair> {
  const ca = await mesh.start("ca", ...loopback, "--ca");
  const code = await mesh.invite("ca");
  const member = await mesh.start("member", ...loopback, "--join", code);
  await mesh.linked("member", "ca", "quic");
  return { mesh, ca, member };
}

async function eventsOf(daemon: Daemon, query = ""): Promise<readonly HistoryEvent[]> {
  const { status, body } = await daemon.api("GET", `/api/events?limit=1000&${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as { events: HistoryEvent[] }).events;
}

Deno.test("nodes remember joins and links, the CA reads a member's statistics, a member not the CA's", () =>
  withMesh(async (mesh) => {
    const { ca, member } = await startPair(mesh);
    const [{ self: caSelf }, { self: memberSelf }] = [await ca.status(), await member.status()];
    const issued = await eventsOf(ca, `type=cert_issued&node=${memberSelf.id}`);
    assert.equal(issued.length, 1);
    await ca.eventually(
      "the CA's link is an event",
      async () => (await eventsOf(ca, `type=link_up&node=${memberSelf.id}`)).length > 0,
    );
    const types = (await eventsOf(member)).map(({ type }) => type);
    for (const type of ["startup", "join_attempted", "link_up"]) {
      assert.ok(types.includes(type), type);
    }
    const stats = await ca.eventually("the member has statistics", async () => {
      const { status, body } = await ca.api("GET", `/api/stats?node=${memberSelf.id}`);
      assert.equal(status, 200, JSON.stringify(body));
      const answer = body as StatsAnswer;
      return answer.series.length > 0 && answer;
    });
    assert.equal(stats.node, memberSelf.id);
    const [series] = stats.series;
    assert.equal(series?.peer, caSelf.id);
    assert.ok(["quic", "websocket"].includes(series?.points[0]?.path ?? ""));
    assert.ok((series?.points[0]?.bytesIn ?? 0) > 0);
    const refused = await member.api("GET", `/api/stats?node=${caSelf.id}`);
    assert.equal((refused.body as { code: string }).code, "HISTORY_DENIED");
    const changed = await ca.api("POST", "/api/ca/roles", { node: memberSelf.id, roles: ["exit"] });
    assert.equal(changed.status, 200);
    const shown = await mesh.ok("ca", "audit", "--verify");
    assert.match(shown, /POST \/api\/ca\/roles -> 200 .*"roles":\["exit"\]/);
    // The invite was the first; beside each request is what it changed.
    assert.match(shown, /all 4 entries in order/);
    const denied = await mesh.pulse("member", "stats", caSelf.id);
    assert.deepEqual([denied.code, /for the scribe and the CA/.test(denied.stderr)], [1, true]);
  }));

Deno.test("what was remembered is there after a kill, and the node's end is an event", () =>
  withMesh(async (mesh) => {
    const first = await mesh.start("a", ...loopback, "--ca");
    const before = await eventsOf(first);
    assert.ok(before.length > 0);
    await first.kill9();
    const second = await mesh.start("a", ...loopback, "--ca");
    const events = await eventsOf(second);
    assert.ok(events.some(({ id, type }) => id === before[0]!.id && type === before[0]!.type));
    assert.equal(events.filter(({ type }) => type === "startup").length, 2);
    await second.stop();
    const third = await mesh.start("a", ...loopback, "--ca");
    assert.equal((await eventsOf(third, "type=shutdown")).length, 1);
  }));

labTest("a full disk costs history and the status says so; links and streams go on", {
  root: true,
  commands: ["mount", "umount"],
}, () =>
  withMesh(async (mesh) => {
    await using disk = await SmallDisk.mount(mesh.dataDir("member"));
    const { ca, member } = await startPair(mesh);
    await disk.fill();
    const warns = async () => {
      // Each wants to be in the audit log.
      await member.api("POST", "/api/nothing", { text: "x".repeat(1_000) });
      const { warnings } = await member.status();
      return warnings.some(({ code }) => code === "HISTORY_UNWRITABLE");
    };
    await member.eventually("the status warns", warns);
    const { peers, self } = await member.status();
    assert.ok(peers.some(({ link }) => link === "quic"));
    // Through the mesh, from what was written before.
    const answer = await ca.api("GET", `/api/stats?node=${self.id}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    await disk.clear();
    await member.eventually("the warning goes", async () => !await warns());
    await member.stop();
  }));
