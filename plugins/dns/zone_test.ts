import assert from "node:assert/strict";
import { rcode, rrType } from "./constants.ts";
import { DirectoryIndex } from "./directory_index.ts";
import type { DirectoryRecord } from "./snapshot.ts";
import { ids, sampleSnapshot } from "./testing.ts";
import { answerFromZone } from "./zone.ts";

const record = (name: string, type: DirectoryRecord["type"], value: string): DirectoryRecord => ({
  name,
  type,
  value,
  ttl: 60,
});

function ask(index: DirectoryIndex, name: string, type: number) {
  const reply = answerFromZone(index, name, type);
  assert.ok(reply !== null, `${name} is ours`);
  return {
    rcode: reply.rcode,
    answers: reply.answers.map((each) => `${each.owner} ${each.type}`),
    negative: reply.authority.map((each) => `${each.owner} ${each.type}`),
  };
}

Deno.test("an alias is followed to its end, and what is missing there is said of the end", () => {
  const index = new DirectoryIndex(sampleSnapshot([
    record("www", "CNAME", "shop"),
    record("shop", "CNAME", "web.pulse."),
    record("dead", "CNAME", "nobody"),
    record("out", "CNAME", "example.com"),
  ]));
  assert.deepEqual(ask(index, "www.pulse", rrType.A), {
    rcode: rcode.noError,
    answers: ["www.pulse 5", "shop.pulse 5", "web.pulse 1"],
    negative: [],
  });
  const nothing = ask(index, "www.pulse", rrType.SOA);
  assert.deepEqual(nothing.negative, ["pulse 6"]);
  assert.equal(nothing.answers.length, 2);
  assert.deepEqual(ask(index, "dead.pulse", rrType.A), {
    rcode: rcode.nxDomain,
    answers: ["dead.pulse 5"],
    negative: ["pulse 6"],
  });
  assert.deepEqual(ask(index, "out.pulse", rrType.A).answers, ["out.pulse 5"]);
  assert.deepEqual(ask(index, "www.pulse", rrType.CNAME).answers, ["www.pulse 5"]);
  assert.deepEqual(ask(index, "www.pulse", rrType.ANY).answers, ["www.pulse 5"]);
});

Deno.test("a loop of aliases, and a chain of more than eight, is an error", () => {
  const chain = (length: number) =>
    new DirectoryIndex(sampleSnapshot(
      Array.from(
        { length },
        (_, n) => record(`c${n}`, "CNAME", n + 1 < length ? `c${n + 1}` : "db"),
      ),
    ));
  assert.equal(ask(chain(8), "c0.pulse", rrType.A).rcode, rcode.noError);
  assert.equal(ask(chain(9), "c0.pulse", rrType.A).rcode, rcode.servFail);
  const loop = new DirectoryIndex(sampleSnapshot([
    record("a", "CNAME", "b"),
    record("b", "CNAME", "a"),
    record("self", "CNAME", "self"),
  ]));
  assert.deepEqual(ask(loop, "a.pulse", rrType.A), {
    rcode: rcode.servFail,
    answers: ["a.pulse 5", "b.pulse 5"],
    negative: [],
  });
  assert.equal(ask(loop, "self.pulse", rrType.A).rcode, rcode.servFail);
});

Deno.test("a configured record adds to a node's own and hides nothing; an alias gives way", () => {
  const index = new DirectoryIndex(sampleSnapshot([
    record("db", "A", "192.0.2.1"),
    record("DB", "TXT", "x".repeat(300)),
    record("db", "CNAME", "web"),
    record("a.b.c", "A", "192.0.2.2"),
    record("bad name", "A", "192.0.2.3"),
    record("srv", "SRV", "1 2 3 db"),
    record("srv2", "SRV", "1 2 70000 db"),
  ]));
  assert.equal(ask(index, "db.pulse", rrType.A).answers.length, 2);
  assert.equal(ask(index, "db.pulse", rrType.TXT).answers.length, 2);
  assert.deepEqual(ask(index, "db.pulse", rrType.CNAME).answers, []);
  assert.deepEqual(ask(index, "b.c.pulse", rrType.A), {
    rcode: rcode.noError,
    answers: [],
    negative: ["pulse 6"],
  });
  assert.equal(ask(index, "x.b.c.pulse", rrType.A).rcode, rcode.nxDomain);
  assert.equal(answerFromZone(index, "srv.pulse", rrType.SRV)?.additional.length, 3);
  assert.equal(index.faults.length, 3);
});

Deno.test("a node that is called like another one's id leads nobody astray", () => {
  const snapshot = sampleSnapshot();
  snapshot.nodes[1]!.name = ids.db;
  const index = new DirectoryIndex(snapshot);
  assert.deepEqual(ask(index, `${ids.db}.pulse`, rrType.A).answers, [`${ids.db}.pulse 1`]);
});

Deno.test("what lies outside of the mesh's zones is not answered here", () => {
  const index = new DirectoryIndex(sampleSnapshot());
  for (const name of ["", "com", "pulse.example", "xpulse", "4.3.2.10.in-addr.arpa", "ip6.arpa"]) {
    assert.equal(answerFromZone(index, name, rrType.A), null, name);
  }
});
