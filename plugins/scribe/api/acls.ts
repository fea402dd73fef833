import { z } from "zod";
import type { NodeId } from "../../../core/identity/types.ts";
import type { ConfigBody } from "../../../core/netconfig/types.ts";
import type { Json, PluginApiRoute } from "../../../core/plugin/types.ts";
import { addAclAssertion } from "../changes/add_acl_assertion.ts";
import { addAclRule } from "../changes/add_acl_rule.ts";
import { moveAclRule } from "../changes/move_acl_rule.ts";
import { removeAclAssertion } from "../changes/remove_acl_assertion.ts";
import { removeAclRule } from "../changes/remove_acl_rule.ts";
import { replaceAclRule } from "../changes/replace_acl_rule.ts";
import {
  assertionRequest,
  diffRules,
  explain,
  ruleJson,
  ruleRequest,
  testAssertions,
} from "../policy_use.ts";
import { parseRequest } from "../request.ts";
import type { Scribe } from "../scribe.ts";
import { versionText } from "../version_text.ts";
import {
  changed,
  conditions,
  force,
  index,
  named,
  nodeWord,
  pageOf,
  pageQuery,
  placeKey,
} from "./answers.ts";
import { adminRoute, readRoute } from "./route.ts";

const addRequest = z.strictObject({ rule: ruleRequest, at: index.optional(), force });
const replaceRequest = z.strictObject({ rule: ruleRequest, force });
const removeRequest = z.strictObject({
  index,
  force: z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")])
    .default(false),
});
const moveRequest = z.strictObject({ from: index, to: index, force });
const assertionIndex = z.strictObject({ index });
const assertionAdd = z.strictObject({ assertion: assertionRequest, force });
const protocol = z.enum(["tcp", "udp", "icmp"]).default("tcp");
const explainQuery = z.object({
  from: nodeWord,
  to: nodeWord,
  port: z.string().regex(/^\d{1,5}$/, "is not a port").transform(Number)
    .pipe(z.int().max(65_535)).default(0),
  protocol,
  address: z.string().max(45).optional(),
});
/** The pending rules: whole, or as one change to those in force. */
const diffRequest = z.union([
  z.strictObject({ acls: z.array(ruleRequest).max(10_000) }),
  z.strictObject({ add: ruleRequest, at: index.optional() }),
  z.strictObject({ remove: index }),
  z.strictObject({ from: index, to: index }),
]);

const about = ({ acls }: ConfigBody): Json => acls.map(ruleJson);
const event = { type: "acl_changed", about };
const assertionEvent = {
  type: "acl_changed",
  about: ({ aclAssertions }: ConfigBody): Json => aclAssertions.map((one) => ({ ...one })),
};

/**
 * The access policy.
 * @param path nodes a flow between two nodes runs over today, both ends included; null: nobody knows
 */
export function aclRoutes(
  scribe: Scribe,
  path: (from: NodeId, to: NodeId) => Promise<readonly NodeId[] | null>,
): PluginApiRoute[] {
  const world = async () => {
    const [current, nodes] = await Promise.all([scribe.mesh.current(), scribe.mesh.directory()]);
    return { current, nodes, etag: versionText(current) };
  };
  return [
    readRoute("/acls", "List the rules", async ({ query }) => {
      const { current, etag } = await world();
      const all = current.body.acls.map((rule, number) => ({ index: number, rule }));
      const { items, next } = pageOf(all, ({ index }) => placeKey(index), query);
      const rules = items.map(({ index, rule }) => ({ index, ...ruleJson(rule) }));
      return { status: 200, body: { rules, next }, etag };
    }, pageQuery),
    adminRoute("POST", "/acls", "Add a rule, at the end or at a place", async (request) => {
      const { rule, at, force: forced } = parseRequest(addRequest, request.body);
      const argument = at === undefined ? { rule } : { rule, at };
      return changed(await scribe.change(addAclRule, argument, event, conditions(request, forced)));
    }, { body: addRequest }),
    adminRoute("PUT", "/acls/:index", "Replace a rule", async (request) => {
      const { rule, force: forced } = parseRequest(replaceRequest, request.body);
      const argument = { index: parseRequest(index, request.params["index"]), rule };
      return changed(
        await scribe.change(replaceAclRule, argument, event, conditions(request, forced)),
      );
    }, { body: replaceRequest }),
    adminRoute("DELETE", "/acls", "Remove a rule by its number", async (request) => {
      const { index, force: forced } = parseRequest(removeRequest, named(request));
      return changed(
        await scribe.change(removeAclRule, { index }, event, conditions(request, forced)),
      );
    }, { query: removeRequest }),
    adminRoute("POST", "/acls/move", "Give a rule another number", async (request) => {
      const { from, to, force: forced } = parseRequest(moveRequest, request.body);
      return changed(
        await scribe.change(moveAclRule, { from, to }, event, conditions(request, forced)),
      );
    }, { body: moveRequest }),
    readRoute("/acls/test", "Check what is expected of the policy", async ({ query }) => {
      const { current, nodes, etag } = await world();
      const all = testAssertions(current.body, nodes);
      const { items, next } = pageOf(all, ({ index }) => placeKey(index), query);
      // No tag: who is there to be asked about is not in the version.
      return { status: 200, body: { results: items, next, version: etag } };
    }, pageQuery),
    readRoute("/acls/assertions", "List what is expected of the policy", async ({ query }) => {
      const { current, etag } = await world();
      const all = current.body.aclAssertions
        .map((assertion, number) => ({ index: number, ...assertion }));
      const { items, next } = pageOf(all, ({ index }) => placeKey(index), query);
      return { status: 200, body: { assertions: items, next }, etag };
    }, pageQuery),
    adminRoute("POST", "/acls/assertions", "Expect something of the policy", async (request) => {
      const { assertion, force: forced } = parseRequest(assertionAdd, request.body);
      return changed(
        await scribe.change(
          addAclAssertion,
          assertion,
          assertionEvent,
          conditions(request, forced),
        ),
      );
    }, { body: assertionAdd }),
    adminRoute("DELETE", "/acls/assertions", "Expect something no longer", async (request) => {
      const { index } = parseRequest(assertionIndex, named(request));
      return changed(
        await scribe.change(removeAclAssertion, { index }, assertionEvent, conditions(request)),
      );
    }, { query: assertionIndex }),
    readRoute("/acls/explain", "Tell which rule decides a flow, and why", async ({ query }) => {
      const asked = parseRequest(explainQuery, query);
      const [from, to] = await Promise.all([scribe.node(asked.from), scribe.node(asked.to)]);
      const [{ current, nodes, etag }, hops] = await Promise.all([world(), path(from, to)]);
      const { port, protocol, address } = asked;
      const flow = { from, to, port, protocol, ...(address !== undefined && { address }) };
      const explanation = explain(current.body, nodes, flow);
      return {
        status: 200,
        // No tag: today's path is not in the version.
        body: { ...explanation, from, to, port, protocol, path: hops, version: etag },
      };
    }, explainQuery),
    adminRoute("POST", "/acls/diff", "Show what a change would allow or deny", async (request) => {
      const wanted = parseRequest(diffRequest, request.body);
      const { current, nodes, etag } = await world();
      const { body } = current;
      const context = scribe.context(nodes);
      const next = "acls" in wanted ? { ...body, acls: wanted.acls } : "add" in wanted
        ? addAclRule(
          body,
          { rule: wanted.add, ...(wanted.at !== undefined && { at: wanted.at }) },
          context,
        ).body
        : "remove" in wanted
        ? removeAclRule(body, { index: wanted.remove }, context).body
        : moveAclRule(body, { from: wanted.from, to: wanted.to }, context).body;
      return { status: 200, body: diffRules(body, next, nodes), etag };
    }, { body: diffRequest }),
  ];
}
