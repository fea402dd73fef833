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
  assert.deepEqual(types(warning("CERTIFICATE_EXPIRING"), warning("NO_LINKS")), [
    "cert_expiry_warning CERTIFICATE_EXPIRING",
  ]);
  assert.deepEqual(types(warning("CERTIFICATE_EXPIRED")), [
    "cert_expiry_warning CERTIFICATE_EXPIRED",
    "warning_over CERTIFICATE_EXPIRING",
    "warning_over NO_LINKS",
  ]);
});

Deno.test("several warnings with one code are one matter", () => {
  const watch = new WarningWatch();
  const unreachable = ["a", "b", "c"].map((text) => warning("PEER_UNREACHABLE", text));
  assert.deepEqual(watch.next(unreachable).map(({ fields }) => fields["detail"]), ["a"]);
  assert.deepEqual(watch.next(unreachable.slice(1)), []);
});
