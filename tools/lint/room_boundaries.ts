import { importedPath, isTestFile, repositoryPath } from "./repository_path.ts";

/**
 * Says why a module may not import another one; undefined when it may.
 *
 * @param importer and @param imported paths as seen from the repository's root
 */
export function boundaryBroken(importer: string, imported: string): string | undefined {
  if (isTestFile(importer)) return undefined;
  const [from = "", fromName = ""] = importer.split("/");
  const [to = "", toName = ""] = imported.split("/");
  const product = ["core", "plugins", "ffi", "cli"];
  if (product.includes(from) && ["tests", "tools"].includes(to)) {
    return `${from}/ is shipped and must not import ${to}/`;
  }
  if (from === "core" && (to === "plugins" || to === "cli")) {
    return `core/ knows nothing of ${to}/: let the plugin host load it`;
  }
  if (from === "plugins" && to === "plugins" && fromName !== toName) {
    return `plugin ${fromName} must not import plugin ${toName}: declare the service in "needs" and call it through the host`;
  }
  if (from === "plugins" && to === "cli") {
    return "a plugin must not import cli/: the CLI is a client of the control API";
  }
  if (
    from === "ffi" && product.includes(to) && to !== "ffi" &&
    !["core/address/", "core/errors/"].some((room) => imported.startsWith(room))
  ) {
    return `ffi/ is the lowest layer and must not import ${to}/`;
  }
  return undefined;
}

export const roomBoundaries: Deno.lint.Rule = {
  create(ctx) {
    const importer = repositoryPath(ctx.filename);
    const check = (node: Deno.lint.Node, specifier: string) => {
      const imported = importedPath(importer, specifier);
      const reason = imported === undefined ? undefined : boundaryBroken(importer, imported);
      if (reason !== undefined) ctx.report({ node, message: reason });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration(node) {
        if (node.source) check(node, node.source.value);
      },
      ImportExpression(node) {
        if (node.source.type === "Literal" && typeof node.source.value === "string") {
          check(node, node.source.value);
        }
      },
    };
  },
};
