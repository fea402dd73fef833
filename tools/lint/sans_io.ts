import { isTestFile, repositoryPath } from "./repository_path.ts";

/**
 * Protocol modules that get time, randomness and messages as arguments and give messages back as values, so that the same
 * code runs in the daemon and in a simulation in virtual time. An entry is a folder (ending in `/`) or the start of a file
 * name.
 */
export const sansIoModules: readonly string[] = [
  "core/commands/",
  "core/control/authorisation",
  "core/control/headers",
  "core/control/network_caller",
  "core/control/paging",
  "core/control/rate_table",
  "core/control/request_head",
  "core/control/tunnel_ports",
  "core/exits/",
  "core/gossip/",
  "core/history/hash_chain",
  "core/history/redact",
  "core/history/rollup",
  "core/identity/join_framing",
  "core/identity/join_messages",
  "core/identity/join_transcript",
  "core/netconfig/",
  "core/node/advertise",
  "core/node/expiry",
  "core/node/exit_warnings",
  "core/node/link_preference",
  "core/node/mesh_view",
  "core/node/status_warnings",
  "core/policy/",
  "core/router/",
  "core/sessions/link/",
  "core/sessions/yamux/frame",
  "core/sessions/yamux/keepalive",
  "core/sessions/yamux/ping_tracker",
  "core/sessions/yamux/receive_",
  "core/sessions/yamux/send_scheduler",
  "core/sessions/yamux/stream_state",
  "core/sessions/yamux/stream_table",
  "core/sessions/yamux/yamux_core",
  "core/streams/stream_header",
  "core/trust/",
  "ffi/netlink/attributes",
  "ffi/netlink/dump_collector",
  "ffi/netlink/message",
  "ffi/netlink/prefix",
  "ffi/nftables/expressions",
  "ffi/nftables/matches",
  "ffi/udp/steering_program",
  "plugins/dns/directory_index",
  "plugins/dns/dns_name",
  "plugins/dns/query",
  "plugins/dns/read_record",
  "plugins/dns/rate_limit",
  "plugins/dns/resource_record",
  "plugins/dns/response",
  "plugins/dns/reverse_zone",
  "plugins/dns/upstream/answer_cache",
  "plugins/dns/upstream/upstream_message",
  "plugins/dns/walk_records",
  "plugins/dns/zone",
  "plugins/exit/plan/",
  "plugins/scribe/changes/",
  "plugins/socks/socks_protocol",
  "plugins/tun-fec/fec/",
  "plugins/tun-fec/filter/",
  "plugins/tun-fec/keys/key_agreement",
  "plugins/tun-fec/keys/key_message",
  "plugins/tun-fec/labels/index_table",
  "plugins/tun-fec/labels/label_message",
  "plugins/tun-fec/loop/",
  "plugins/tun-fec/packet/",
  "plugins/tun-fec/super_packet/",
  "plugins/tun-fec/wire/",
];

const forbiddenGlobals = new Set([
  "Deno",
  "WebSocket",
  "Worker",
  "clearInterval",
  "clearTimeout",
  "console",
  "fetch",
  "performance",
  "process",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

const forbiddenMembers = new Set([
  "AbortSignal.timeout",
  "Date.now",
  "Math.random",
  "Temporal.Now",
  "crypto.getRandomValues",
  "crypto.randomUUID",
]);

const forbiddenImports =
  /^(node:(child_process|cluster|dgram|dns|fs|http|http2|https|net|os|perf_hooks|process|sqlite|timers|tls|worker_threads)(\/.*)?|ws)$/;
/** What a pure function is called that a forbidden module exports. */
const pureImports = /^isIP(v4|v6)?$/;
const forbiddenImportedNames = new Set(["randomBytes", "randomInt", "randomUUID"]);

export function isSansIo(path: string): boolean {
  return !isTestFile(path) && sansIoModules.some((prefix) => path.startsWith(prefix));
}

/** Whether an identifier is a use of a global, not the name of a property or a key. */
function isReference(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed;
  if (parent.type === "Property") {
    return parent.value === node || parent.computed || parent.shorthand;
  }
  return !["MethodDefinition", "PropertyDefinition", "TSPropertySignature", "TSMethodSignature"]
    .includes(parent.type);
}

export const sansIo: Deno.lint.Rule = {
  create(ctx) {
    if (!isSansIo(repositoryPath(ctx.filename))) return {};
    const report = (node: Deno.lint.Node, what: string) =>
      ctx.report({
        node,
        message: `${what} in a sans-I/O module`,
        hint:
          "take time, randomness and messages as arguments; sockets and timers belong to an adapter",
      });
    return {
      Identifier(node) {
        if (forbiddenGlobals.has(node.name) && isReference(node)) report(node, node.name);
      },
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier") return;
        const name = `${node.object.name}.${node.property.name}`;
        if (forbiddenMembers.has(name)) report(node, name);
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
        if (node.arguments.length === 0) report(node, "new Date() without a time");
      },
      ImportDeclaration(node) {
        const pure = node.specifiers.length > 0 &&
          node.specifiers.every((specifier) =>
            specifier.type === "ImportSpecifier" && specifier.imported.type === "Identifier" &&
            pureImports.test(specifier.imported.name)
          );
        if (!pure && forbiddenImports.test(node.source.value)) {
          report(node, `import of ${node.source.value}`);
        }
        for (const specifier of node.specifiers) {
          if (specifier.type !== "ImportSpecifier" || specifier.imported.type !== "Identifier") {
            continue;
          }
          const { name } = specifier.imported;
          if (forbiddenImportedNames.has(name)) report(specifier, `import of ${name}`);
        }
      },
    };
  },
};
