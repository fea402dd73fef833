import assert from "node:assert/strict";
import fc from "fast-check";
import { cidrText, contains, parseCidr } from "../address/mod.ts";
import { ExitTable } from "./exit_table.ts";
import { isWide, liesIn, reservedRanges, routedBytes } from "./ranges.ts";
import type { ExitChoice, ExitFacts, ExitNode } from "./types.ts";

const meshCidrs = ["10.100.0.0/16", "fd11:2233:4455::/48"];

/** Exits whose ranges are all approved. */
function facts(exits: readonly ExitNode[], choice: ExitChoice = "none"): ExitFacts {
  const approvals = exits.flatMap(({ id, cidrs }) => cidrs.map((cidr) => ({ cidr, via: id })));
  return { exits, approvals, meshCidrs, choice };
}

function table(...given: Parameters<typeof facts>): ExitTable {
  const made = new ExitTable("self");
  made.update(facts(...given));
  return made;
}

const exit = (id: string, score: number | null, ...cidrs: string[]): ExitNode => ({
  id,
  score,
  cidrs,
});

Deno.test("a range counts when its node announces it and the network config approves it, exactly", () => {
  const made = new ExitTable("self");
  made.update({
    ...facts([]),
    exits: [exit("a", 1, "192.168.7.0/24", "192.168.0.0/16"), exit("b", 1, "192.168.8.0/25")],
    approvals: [
      { cidr: "192.168.7.0/24", via: "a" },
      { cidr: "192.168.7.0/24", via: "b" },
      { cidr: "192.168.8.0/24", via: "b" },
    ],
  });
  assert.deepEqual(made.find("192.168.7.1"), { cidr: "192.168.7.0/24", via: "a" });
  assert.equal(made.find("192.168.8.1"), undefined);
  assert.equal(made.find("192.168.9.1"), undefined);
  assert.deepEqual(made.list().map(({ cidr, via, state }) => `${cidr} ${via} ${state}`), [
    "192.168.0.0/16 a unapproved",
    "192.168.7.0/24 a active",
    "192.168.7.0/24 b unannounced",
    "192.168.8.0/24 b unannounced",
    "192.168.8.0/25 b unapproved",
  ]);
});

Deno.test("of two exits for one range the better one is used, and the other when it dies", () => {
  const range = "192.168.7.0/24";
  const made = table([exit("a", 9, range), exit("b", 5, range)]);
  assert.equal(made.find("192.168.7.9")?.via, "b");
  made.update(facts([exit("a", 9, range), exit("b", null, range)]));
  assert.equal(made.find("192.168.7.9")?.via, "a");
  assert.deepEqual(made.list().map(({ via, state }) => `${via} ${state}`), [
    "a active",
    "b unreachable",
  ]);
  made.update(facts([exit("a", null, range), exit("b", null, range)]));
  assert.equal(made.find("192.168.7.9"), undefined);
});

Deno.test("in the place of an exit that has just failed comes the next best of the same range", () => {
  const made = table([
    exit("a", 5, "192.168.7.0/24"),
    exit("b", 9, "192.168.7.0/24"),
    exit("c", 7, "192.168.7.0/24"),
    exit("d", 1, "192.168.0.0/16"),
  ]);
  const via = (...avoid: string[]) => made.find("192.168.7.1", avoid)?.via;
  assert.deepEqual([via(), via("a"), via("a", "c")], ["a", "c", "b"]);
  assert.equal(via("a", "b", "c"), undefined);
});

Deno.test("an exit in use stays until another one is better by a fifth", () => {
  const range = "192.168.7.0/24";
  const made = table([exit("a", 10, range), exit("b", 11, range)]);
  assert.equal(made.find("192.168.7.9")?.via, "a");
  made.update(facts([exit("a", 10, range), exit("b", 8, range)]));
  assert.equal(made.find("192.168.7.9")?.via, "a");
  made.update(facts([exit("a", 10, range), exit("b", 7.9, range)]));
  assert.equal(made.find("192.168.7.9")?.via, "b");
});

Deno.test("the whole internet is used only where the operator says so, of whom he says", () => {
  const all = [exit("a", 5, "0.0.0.0/0", "::/0"), exit("b", 9, "0.0.0.0/0")];
  assert.equal(table(all).find("192.0.2.1"), undefined);
  assert.equal(table(all).find("2001:db8::1"), undefined);
  assert.equal(table(all, "auto").find("192.0.2.1")?.via, "a");
  assert.equal(table(all, "auto").find("2001:db8::1")?.via, "a");
  assert.equal(table(all, { node: "b" }).find("192.0.2.1")?.via, "b");
  assert.equal(table(all, { node: "b" }).find("2001:db8::1"), undefined);
  assert.equal(table(all, { node: undefined }).find("192.0.2.1"), undefined);
});

Deno.test("halves of the internet are no way round that", () => {
  const halves = ["0.0.0.0/1", "128.0.0.0/1", "2000::/3"];
  assert.equal(table([exit("a", 5, ...halves)]).find("192.0.2.1"), undefined);
  assert.equal(table([exit("a", 5, ...halves)]).find("2001:db8::1"), undefined);
  assert.equal(table([exit("a", 5, ...halves)], "auto").find("192.0.2.1")?.via, "a");
});

Deno.test("what this node leads to itself goes to nobody else", () => {
  const made = table([exit("self", null, "192.168.7.0/24"), exit("a", 1, "192.168.7.0/24")]);
  assert.deepEqual(made.find("192.168.7.1"), { cidr: "192.168.7.0/24", via: "self" });
  assert.deepEqual(made.own(), ["192.168.7.0/24"]);
  assert.equal(made.behind().size, 0);
});

Deno.test("addresses of the mesh and addresses of nobody are behind no exit", () => {
  const made = table(
    [exit("a", 1, "0.0.0.0/0", "::/0", "10.0.0.0/8", "10.100.7.0/24", "169.254.0.0/16")],
    "auto",
  );
  assert.equal(made.find("10.7.0.1")?.cidr, "10.0.0.0/8");
  for (
    const address of [
      ...["10.100.7.1", "fd11:2233:4455::7", "169.254.169.254", "127.0.0.1", "::1"],
      ...["::ffff:127.0.0.1", "fe80::1", "ff02::1", "255.255.255.255", "0.0.0.0", "db.example"],
    ]
  ) assert.equal(made.find(address), undefined, address);
  const inside = made.list().filter(({ state }) => state === "reserved").map(({ cidr }) => cidr);
  assert.deepEqual(inside, ["10.100.7.0/24", "169.254.0.0/16"]);
});

Deno.test("an IPv4 address in IPv6 clothes goes where the IPv4 address goes", () => {
  const made = table([exit("a", 1, "192.168.7.0/24"), exit("b", 1, "::/0")], "auto");
  assert.equal(made.find("::ffff:192.168.7.1")?.via, "a");
  assert.equal(made.find("::ffff:192.168.8.1"), undefined);
});

const anyRange = fc.constantFrom(
  ...["0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "10.7.0.0/16", "10.7.1.0/24", "10.7.1.1/32"],
  ...["10.100.1.0/24", "::/0", "2000::/3", "fd00::/8", "fd00:7::/32", "192.168.7.0/24"],
);
const anyId = fc.constantFrom("self", "a", "b", "c");
const anyExits = fc.uniqueArray(
  fc.record({
    id: anyId,
    cidrs: fc.uniqueArray(anyRange, { maxLength: 6 }),
    score: fc.option(fc.integer({ min: 1, max: 20 })),
  }),
  { selector: ({ id }) => id },
);
const anyFacts: fc.Arbitrary<ExitFacts> = fc.record({
  exits: anyExits,
  approvals: fc.uniqueArray(fc.record({ cidr: anyRange, via: anyId }), {
    selector: ({ cidr, via }) => `${cidr} ${via}`,
    maxLength: 40,
  }),
  meshCidrs: fc.constant(meshCidrs),
  choice: fc.oneof(
    fc.constantFrom<ExitChoice>("none", "auto"),
    fc.record({ node: fc.option(anyId, { nil: undefined }) }),
  ),
});
const anyAddress = fc.constantFrom(
  ...["10.7.1.1", "10.7.1.2", "10.7.2.2", "10.8.0.1", "10.100.1.1", "192.0.2.1", "192.168.7.7"],
  ...["2001:db8::1", "fd00:7::7", "fd00:8::7", "fd11:2233:4455::1", "::ffff:10.7.1.1"],
);

Deno.test("whatever was before: longest prefix, approved, announced, opted in, reachable, never self's", () => {
  fc.assert(
    fc.property(
      fc.array(anyFacts, { minLength: 1, maxLength: 3 }),
      anyAddress,
      (history, address) => {
        const made = new ExitTable("self");
        for (const one of history) made.update(one);
        const { exits, approvals, choice } = history.at(-1)!;
        const bytes = routedBytes(address)!;
        const reserved = reservedRanges(meshCidrs);
        const usable = exits.flatMap(({ id, cidrs, score }) =>
          cidrs.map((text) => parseCidr(text)!)
            .filter((cidr) =>
              contains(cidr, bytes) && !liesIn(reserved, cidr) &&
              approvals.some((one) => one.cidr === cidrText(cidr) && one.via === id) &&
              (id === "self" || (score !== null &&
                (!isWide(cidr) || choice === "auto" ||
                  (choice !== "none" && choice.node === id))))
            )
            .map(({ prefix }) => ({ id, prefix, score: score ?? 0 }))
        );
        const mesh = reserved.filter((range) => contains(range, bytes)).map(({ prefix }) => prefix);
        const longest = Math.max(-1, ...usable.map(({ prefix }) => prefix));
        const found = made.find(address);
        if (longest < 0 || Math.max(-1, ...mesh) > longest) return assert.equal(found, undefined);
        const group = usable.filter(({ prefix }) => prefix === longest);
        const mine = group.find(({ id }) => id === "self");
        if (mine !== undefined) return assert.equal(found?.via, "self");
        const best = Math.min(...group.map(({ score }) => score));
        const used = group.find(({ id }) => id === found?.via);
        assert.ok(used !== undefined && used.score * 0.8 <= best, JSON.stringify({ group, found }));
        return assert.ok(made.behind().get(found!.via)?.includes(found!.cidr));
      },
    ),
    { numRuns: 2_000 },
  );
});
