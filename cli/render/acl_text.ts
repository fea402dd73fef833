import { z } from "zod";
import { escapeText } from "../../core/log/escape_text.ts";
import type { Json } from "../../core/plugin/types.ts";
import { renderTable } from "./table.ts";

const rule = z.object({
  index: z.number(),
  action: z.string(),
  from: z.string(),
  to: z.string(),
  ports: z.string(),
  protocols: z.string(),
  comment: z.string(),
});
const listSchema = z.object({ rules: z.array(rule) });
const testSchema = z.object({
  results: z.array(z.object({
    index: z.number(),
    from: z.string(),
    to: z.string(),
    port: z.number(),
    protocol: z.string(),
    expect: z.string(),
    ok: z.boolean(),
    why: z.string(),
  })),
});
const explainSchema = z.object({
  from: z.string(),
  to: z.string(),
  port: z.number(),
  protocol: z.string(),
  allowed: z.boolean(),
  reason: z.string(),
  rules: z.array(rule.extend({ matches: z.boolean(), misses: z.array(z.string()) })),
  omitted: z.number(),
  path: z.array(z.string()).nullable(),
  version: z.string(),
});
const diffSchema = z.object({
  differences: z.array(z.object({
    change: z.string(),
    from: z.string(),
    to: z.string(),
    protocol: z.string(),
    ports: z.string(),
    ruleBefore: z.number().nullable(),
    ruleAfter: z.number().nullable(),
  })),
  truncated: z.boolean(),
  broken: z.array(z.string()),
});

/** The rules in their order. */
export function aclListText(answer: Json, width: number | undefined): string {
  const { rules } = listSchema.parse(answer);
  if (rules.length === 0) return "no rules: everybody may reach everybody\n";
  return table(
    [
      { title: "#", align: "right" as const },
      { title: "ACTION" },
      { title: "FROM" },
      { title: "TO" },
      { title: "PORTS" },
      { title: "PROTO", dispensable: 1 },
      { title: "COMMENT", dispensable: 2, shrinkTo: 10 },
    ],
    rules.map((one) => [
      String(one.index),
      one.action,
      one.from,
      one.to,
      one.ports,
      one.protocols,
      one.comment,
    ]),
    width,
  );
}

/** What is expected of the policy, and whether it holds. */
export function aclTestText(
  answer: Json,
  width: number | undefined,
): { readonly text: string; readonly ok: boolean } {
  const { results } = testSchema.parse(answer);
  if (results.length === 0) {
    return { text: "nothing is expected; say what with: pulse acl test add\n", ok: true };
  }
  const text = table(
    [
      { title: "#", align: "right" as const },
      { title: "RESULT" },
      { title: "EXPECT" },
      { title: "FROM" },
      { title: "TO" },
      { title: "PROTO", dispensable: 1 },
      { title: "WHY", shrinkTo: 20 },
    ],
    results.map((one) => [
      String(one.index),
      one.ok ? "holds" : "BROKEN",
      one.expect,
      one.from,
      `${one.to}:${one.port}`,
      one.protocol,
      one.why,
    ]),
    width,
  );
  return { text, ok: results.every(({ ok }) => ok) };
}

/** The deciding rule, why those before it did not match, and where the verdict holds. */
export function aclExplainText(answer: Json): string {
  const found = explainSchema.parse(answer);
  const { from, to, port, protocol, allowed, reason, rules, omitted, path, version } = found;
  const verdict = allowed ? "allowed" : "denied";
  const lines = [`${from} -> ${to}:${port} ${protocol} is ${verdict}: ${reason}`];
  if (rules.length > 0) lines.push("");
  for (const [at, one] of rules.entries()) {
    const text = `${one.action} ${one.from} -> ${one.to} ports ${one.ports} proto ${one.protocols}`;
    const why = one.matches ? "matches and decides" : `no match: ${one.misses.join(", ")}`;
    if (omitted > 0 && at === rules.length - 1) lines.push(`  ... ${omitted} rules left out`);
    lines.push(`  rule ${one.index}: ${text}: ${why}`);
  }
  lines.push("", ...hopLines(path, { from, to }, verdict, version));
  return `${lines.map(escapeText).join("\n")}\n`;
}

/** Every hop decides by itself, by the same signed rules, on origin, destination and port. */
function hopLines(
  path: readonly string[] | null,
  ends: { readonly from: string; readonly to: string },
  verdict: string,
  version: string,
): string[] {
  const hops = path ?? [ends.from, ends.to];
  const roles = hops.map((_, at) =>
    at === 0 ? "source" : at === hops.length - 1 ? "destination" : "relay"
  );
  return [
    path === null ? "no path between them is known today; at its ends:" : "on today's path:",
    ...hops.map((id, at) =>
      `  ${(roles[at] ?? "").padEnd(11)} ${id}  ${verdict} (config ${version})`
    ),
  ];
}

/** Which flows a change would newly allow or deny. */
export function aclDiffText(answer: Json, width: number | undefined): string {
  const { differences, truncated, broken } = diffSchema.parse(answer);
  const number = (index: number | null) => index === null ? "-" : String(index);
  const lines = differences.length === 0 ? ["nothing that is there would be treated otherwise"] : [
    table(
      [
        { title: "NEWLY" },
        { title: "FROM" },
        { title: "TO" },
        { title: "PROTO" },
        { title: "PORTS" },
        { title: "RULE BEFORE", align: "right" as const, dispensable: 1 },
        { title: "AFTER", align: "right" as const, dispensable: 1 },
      ],
      differences.map((one) => [
        one.change,
        one.from,
        one.to,
        one.protocol,
        one.ports,
        number(one.ruleBefore),
        number(one.ruleAfter),
      ]),
      width,
    ).trimEnd(),
  ];
  if (truncated) lines.push("(there are more)");
  for (const one of broken) lines.push(escapeText(`would break what is expected: ${one}`));
  return `${lines.join("\n")}\n`;
}

function table(
  columns: Parameters<typeof renderTable>[0],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  return `${renderTable(columns, rows, { width }).join("\n")}\n`;
}
