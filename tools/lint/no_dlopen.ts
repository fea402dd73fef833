import { isTestFile, repositoryPath } from "./repository_path.ts";

/** Files outside ffi/ that name `dlopen`, each with its reason. */
export const dlopenAllowed: ReadonlyMap<string, string> = new Map([
  ["core/launch/self_probe.ts", "tries it to prove that the process is not allowed to"],
]);

export const noDlopen: Deno.lint.Rule = {
  create(ctx) {
    const path = repositoryPath(ctx.filename);
    if (path.startsWith("ffi/") || isTestFile(path) || dlopenAllowed.has(path)) return {};
    const report = (node: Deno.lint.Node) =>
      ctx.report({
        node,
        message: "dlopen outside ffi/",
        hint: "native code is full trust: it lives in ffi/, behind one audited face",
      });
    return {
      // Any mention counts, so that neither destructuring nor `Deno["dlopen"]` gets round it.
      'Identifier[name="dlopen"]': report,
      'Literal[value="dlopen"]': report,
    };
  },
};
