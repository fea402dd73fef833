import assert from "node:assert/strict";
import { join } from "node:path";
import { docFaults, isDocFault, parseDocLint } from "./doc_lint.ts";

const text = `error[private-type-ref]: public type 'f' references private type 'R'
  --> /r/core/a.ts:63:1
   | 
63 | export function f(cidr: string): R {
   | ^
   = hint: make the referenced type public or remove the reference


error[missing-jsdoc]: exported symbol is missing JSDoc documentation
 --> /r/core/errors.ts:5:21
  | 
5 |   override readonly name = "IdentityError";
  |                     ^


error[missing-jsdoc]: exported symbol is missing JSDoc documentation
 --> /r/core/errors.ts:9:1
  | 
9 | export async function g(): Promise<void> {
  | ^

error: Found 3 documentation lint errors.
`;

Deno.test("findings are read with their code, place and line", () => {
  assert.deepEqual(parseDocLint(text)[0], {
    code: "private-type-ref",
    message: "public type 'f' references private type 'R'",
    where: "/r/core/a.ts:63:1",
    line: "export function f(cidr: string): R {",
  });
});

Deno.test("hidden types and undocumented functions are faults, members without a comment are not", () => {
  assert.deepEqual(parseDocLint(text).map(isDocFault), [true, false, true]);
});

Deno.test("a face that hides a type it uses is reported", async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-doc-lint-" });
  try {
    const face = join(directory, "mod.ts");
    await Deno.writeTextFile(
      face,
      `interface Hidden { x: number }\n/** Documented. */\nexport function f(h: Hidden): void { h.x; }\n`,
    );
    const faults = await docFaults([face], directory);
    assert.deepEqual(faults.map((fault) => fault.code), ["private-type-ref"]);

    await Deno.writeTextFile(face, `/** Documented. */\nexport function f(): void {}\n`);
    assert.deepEqual(await docFaults([face], directory), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
