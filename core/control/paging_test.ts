import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { makePage, pageLimit, parseListQuery } from "./paging.ts";

const shape = { node: z.string().max(10).optional() };

Deno.test("a list without a query is its first page, of the standard size, unfiltered", () => {
  assert.deepEqual(parseListQuery({}, shape), {
    limit: pageLimit.standard,
    after: null,
    filters: {},
  });
  assert.deepEqual(parseListQuery({ node: "a" }, shape).filters, { node: "a" });
});

Deno.test("limits, cursors and filters that make no sense are refused", () => {
  for (const limit of ["0", "-1", "1001", "1.5", "1e2", "x", "", " 1", "99999999999"]) {
    assert.throws(() => parseListQuery({ limit }, shape), { code: "QUERY_INVALID" }, limit);
  }
  for (const cursor of ["", "x", "!!", "cDI6eA", "x".repeat(2_000)]) {
    assert.throws(() => parseListQuery({ cursor }, shape), { code: "QUERY_INVALID" }, cursor);
  }
  assert.throws(() => parseListQuery({ nodes: "a" }, shape), { code: "QUERY_INVALID" });
  assert.throws(() => parseListQuery({ node: "a".repeat(11) }, shape), { message: /node: / });
  assert.equal(parseListQuery({ limit: "1000" }, shape).limit, 1_000);
});

Deno.test("following the cursors gives every item once and in order, whatever the page size", () => {
  const lists = fc.uniqueArray(fc.string({ maxLength: 20, unit: "grapheme" }), { maxLength: 60 });
  fc.assert(fc.property(lists, fc.integer({ min: 1, max: 20 }), (names, limit) => {
    const items = names.sort();
    const seen: string[] = [];
    let query: Record<string, string> = { limit: `${limit}` };
    for (;;) {
      const { after, limit } = parseListQuery(query, {});
      const from = after === null ? 0 : items.indexOf(after) + 1;
      const page = makePage(items.slice(from, from + limit + 1), limit, (item) => item);
      seen.push(...page.items);
      if (page.next === null) break;
      query = { limit: `${limit}`, cursor: page.next };
    }
    assert.deepEqual(seen, items);
  }));
});

Deno.test("no text at all as a cursor is ever more than refused", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (cursor) => {
    try {
      parseListQuery({ cursor }, {});
    } catch (error) {
      assert.equal((error as { code?: string }).code, "QUERY_INVALID");
    }
  }));
});
