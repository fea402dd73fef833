import assert from "node:assert/strict";
import type { ExitRoute } from "../exits/mod.ts";
import { exitWarnings } from "./exit_warnings.ts";

const route = (cidr: string, via: string, state: ExitRoute["state"]): ExitRoute => ({
  cidr,
  via,
  state,
  score: null,
});
const codes = (...given: Parameters<typeof exitWarnings>) =>
  exitWarnings(...given).map(({ code, severity }) => `${code} ${severity}`);

Deno.test("an exit that nobody approved, and an exit that is wanted and not there, are said to be so", () => {
  const off = { use: null, killswitch: false };
  const own = [route("10.7.0.0/16", "self", "unapproved"), route("::/0", "other", "unapproved")];
  assert.deepEqual(codes({ ...off, routes: own }, "self"), ["EXIT_UNAPPROVED warning"]);
  assert.match(exitWarnings({ ...off, routes: own }, "self")[0]!.text, /10\.7\.0\.0\/16/);
  const used = [route("0.0.0.0/0", "other", "active")];
  assert.deepEqual(codes({ use: "auto", killswitch: true, routes: used }, "self"), []);
  const gone = [route("0.0.0.0/0", "other", "unreachable"), route("10.0.0.0/8", "x", "active")];
  assert.deepEqual(codes({ use: "auto", killswitch: true, routes: gone }, "self"), [
    "EXIT_UNREACHABLE error",
  ]);
  assert.deepEqual(codes({ use: "gate", killswitch: false, routes: gone }, "self"), [
    "EXIT_UNREACHABLE warning",
  ]);
  assert.deepEqual(codes({ ...off, routes: gone }, "self"), []);
});
