import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isTestFile } from "./lint/repository_path.ts";

const root = join(import.meta.dirname!, "..");

const sources = ["core/**/*.ts", "ffi/**/*.ts", "plugins/**/*.ts", "cli/**/*.ts"];

/**
 * Upper-case words in quotes that are none of our codes: environment variables, verdicts of OpenSSL and of the HTTP parser, and
 * what the kernel calls socket options and messages.
 */
const otherWords =
  /^(NO_COLOR|PULSE_DEBUG|WS_NO_.*|DENO_.*|XDG_.*|UNABLE_TO_.*|(DEPTH_ZERO_)?SELF_SIGNED_.*|HPE_.*|ERR_HTTP_.*|SO_(REUSEPORT|MARK)|IPV6_V6ONLY|MTU_DISCOVER|(NFT_MSG|RTM)_.*)$/;

function codesInSource(): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of globSync(sources, { cwd: root })) {
    if (isTestFile(path)) continue;
    const source = readFileSync(join(root, path), "utf8");
    for (const [, code = ""] of source.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)) {
      if (!otherWords.test(code)) found.set(code, path);
    }
  }
  return found;
}

function documentedBeginnings(): string[] {
  const text = readFileSync(join(root, "docs/errors.md"), "utf8");
  const firstColumns = text.matchAll(/^\| (`[^|]*)\|/gm);
  return [...firstColumns].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([A-Z_0-9]+)`/g)].map(([, word = ""]) => word)
  );
}

Deno.test("docs/errors.md tells where every error code comes from", () => {
  const beginnings = documentedBeginnings();
  const unknown = [...codesInSource()].filter(([code]) =>
    !beginnings.some((word) => word.endsWith("_") ? code.startsWith(word) : code === word)
  );
  assert.deepEqual(unknown, [], "add where they come from to docs/errors.md");
});

Deno.test("docs/errors.md names nothing that is gone", () => {
  const codes = [...codesInSource().keys()];
  const gone = documentedBeginnings().filter((word) =>
    !codes.some((code) => code.startsWith(word))
  );
  assert.deepEqual(gone, []);
});
