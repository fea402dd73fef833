import assert from "node:assert/strict";
import type { HealthWarning } from "../control/types.ts";
import { WarningWatch } from "./warning_watch.ts";

const warning = (code: string, text = code): HealthWarning => ({ code, severity: "warning", text });

Deno.test("a warning is an event when it comes and when it goes, not while it stays", () => {
  const watch = new WarningWatch();
  const types = (...warnings: HealthWarning[]) =>
    watch.next(warnings).map(({ type, fields }) => `${type} ${fields["code"]}`);
  assert.deepEqual(types(), []);
  assert.deepEqual(types(warning("NO_LINKS")), ["warning NO_LINKS"]);
  assert.deepEqual(types(warning("NO_LINKS", "other words")), []);
  assert.deepEqual(types(warning("NO_LINKS"), warning("RENEWAL_FAILING")), [
    "warning RENEWAL_FAILING",
  ]);
  assert.deepEqual(types(warning("NO_PEERS")), [
    "warning NO_PEERS",
    "warning_over NO_LINKS",
    "warning_over RENEWAL_FAILING",
  ]);
});

Deno.test("lives that end are another watch's matter", () => {
  const watch = new WarningWatch();
  assert.deepEqual(watch.next([warning("CERTIFICATE_EXPIRING"), warning("CA_EXPIRED")]), []);
  assert.deepEqual(watch.next([]), []);
});

Deno.test("several warnings with one code are one matter", () => {
  const watch = new WarningWatch();
  const unreachable = ["a", "b", "c"].map((text) => warning("PEER_UNREACHABLE", text));
  assert.deepEqual(watch.next(unreachable).map(({ fields }) => fields["detail"]), ["a"]);
  assert.deepEqual(watch.next(unreachable.slice(1)), []);
});
