import type { HealthReport, HealthWarning } from "../control/types.ts";

/**
 * What `GET /api/health` says: the node's own errors, and every plugin's verdict on itself. Warnings are no failure: with them a node
 * that works is degraded.
 */
export function healthReport(
  warnings: readonly HealthWarning[],
  plugins: readonly { readonly plugin: string; readonly ok: boolean; readonly detail: string }[],
): HealthReport {
  // A plugin that failed is told about under its own name.
  const errors = warnings.filter(({ severity, code }) =>
    severity === "error" && code !== "PLUGIN_FAILED"
  );
  const detail = errors.map(({ text }) => text).join("; ");
  const checks = [
    { name: "node", ok: errors.length === 0, detail: detail === "" ? "running" : detail },
    ...plugins.map(({ plugin, ok, detail }) => ({ name: `plugin ${plugin}`, ok, detail })),
  ];
  const ok = checks.every(({ ok }) => ok);
  const status = !ok ? "failing" : warnings.length > 0 ? "degraded" : "ok";
  return { ok, status, reasons: warnings, checks };
}
