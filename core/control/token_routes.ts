import { z } from "zod";
import { errorCode, PulseError } from "../errors/mod.ts";
import type { PluginApiRequest, PluginApiResponse, PluginApiRoute } from "../plugin/types.ts";
import { makePage, pageLimit, parseListQuery } from "./paging.ts";

/** Below it the scribe's plugin has those of the network; the CA's plugin has its own at the very paths that both share. */
const scribePrefix = "/scribe";
const shared = [
  { method: "GET", path: "/tokens" },
  { method: "POST", path: "/tokens" },
  { method: "DELETE", path: "/tokens" },
  { method: "DELETE", path: "/tokens/:id" },
  { method: "POST", path: "/invite" },
] as const;

/** The scribe speaks for the network only while the CA's grant names it; until then the CA beside it does. */
const notInCharge: ReadonlySet<string> = new Set(["NETCONFIG_NOT_SCRIBE"]);
const notHere: ReadonlySet<string> = new Set([...notInCharge, "TOKEN_UNKNOWN"]);

const tokenList = z.object({
  tokens: z.array(z.looseObject({ id: z.string() }).catchall(z.json())),
  next: z.string().nullable().default(null),
});

type Token = z.infer<typeof tokenList>["tokens"][number];

/**
 * Join tokens are the network's, made by its scribe, or the CA's own. A node may be either, or both, and whoever asks it for tokens should
 * not have to know: `/tokens` and `/invite` are answered by the scribe where there is one in charge, else by the CA, and a list is of
 * both.
 * @param routes those of the plugins
 */
export function withSharedTokens(routes: readonly PluginApiRoute[]): readonly PluginApiRoute[] {
  const combined = shared.flatMap(({ method, path }): PluginApiRoute[] => {
    const asked = [scribePrefix + path, path].flatMap((wanted) =>
      routes.filter((route) => route.method === method && route.path === wanted)
    );
    const [first] = asked;
    if (first === undefined) return [];
    const passOn = method === "DELETE" ? notHere : notInCharge;
    const handle = (request: PluginApiRequest) =>
      method === "GET" ? listAll(asked, request) : firstOf(asked, request, passOn);
    return [{ ...first, path, handle }];
  });
  const replaced = new Set(combined.map(({ method, path }) => `${method} ${path}`));
  return [...routes.filter(({ method, path }) => !replaced.has(`${method} ${path}`)), ...combined];
}

async function firstOf(
  [first, ...others]: readonly PluginApiRoute[],
  request: PluginApiRequest,
  passOn: ReadonlySet<string>,
): Promise<PluginApiResponse> {
  if (first === undefined) throw new PulseError("ROUTE_UNKNOWN", "This node makes no tokens");
  try {
    return await first.handle(request);
  } catch (error) {
    if (others.length === 0 || !passOn.has(errorCode(error))) throw error;
    return await firstOf(others, request, passOn);
  }
}

async function listAll(
  routes: readonly PluginApiRoute[],
  request: PluginApiRequest,
): Promise<PluginApiResponse> {
  const { limit, after } = parseListQuery(request.query, {});
  const tokens = new Map<string, Token>();
  // The scribe's word comes last: the CA knows neither names nor tags.
  for (const route of routes.toReversed()) {
    for (const token of await everyToken(route, request)) {
      tokens.set(token.id, { ...tokens.get(token.id), ...token });
    }
  }
  const rest = [...tokens.values()].filter(({ id }) => after === null || id > after)
    .sort((a, b) => a.id < b.id ? -1 : 1);
  const { items, next } = makePage(rest, limit, ({ id }) => id);
  return { status: 200, body: { tokens: items, next } };
}

async function everyToken(route: PluginApiRoute, request: PluginApiRequest): Promise<Token[]> {
  const found: Token[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const query = { limit: String(pageLimit.largest), ...(cursor !== "" && { cursor }) };
    const { body } = await route.handle({ ...request, query });
    const page = tokenList.safeParse(body);
    if (!page.success) {
      throw new PulseError("PLUGIN_PROTOCOL", `${route.path} did not answer with a list of tokens`);
    }
    found.push(...page.data.tokens);
    cursor = page.data.next;
  }
  return found;
}
