/** What finding a route takes. */
export interface RoutePattern {
  readonly method: string;
  /** `/tokens/:id` */
  readonly path: string;
}

/** A route that fits a request, with the values of its `:name` parts. */
export interface RouteMatch<Route extends RoutePattern> {
  readonly route: Route;
  readonly params: { readonly [key: string]: string };
}

/**
 * Finds the route for a path. A part that is written out beats a `:name` part.
 * @returns a match, or the methods that the path does have (empty: no such path)
 */
export function matchRoute<Route extends RoutePattern>(
  routes: readonly Route[],
  method: string,
  path: string,
): RouteMatch<Route> | readonly string[] {
  const parts = splitPath(path);
  const methods: string[] = [];
  let best: RouteMatch<Route> | undefined;
  let bestNames = Infinity;
  for (const route of routes) {
    const params = parts && matchPath(splitPath(route.path) ?? [], parts);
    if (params === undefined) continue;
    methods.push(route.method);
    const names = Object.keys(params).length;
    if (route.method === method && names < bestNames) {
      best = { route, params };
      bestNames = names;
    }
  }
  return best ?? methods;
}

/** `/tokens/:id` as OpenAPI writes it: `/tokens/{id}`. */
export function openApiPath(path: string): string {
  return path.replace(/:([A-Za-z]\w*)/g, "{$1}");
}

/** Names of the `:name` parts. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/:([A-Za-z]\w*)/g)].map((match) => match[1] ?? "");
}

function matchPath(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    const part = parts[i] ?? "";
    if (expected.startsWith(":")) params[expected.slice(1)] = part;
    else if (expected !== part) return undefined;
  }
  return params;
}

/** Decoded segments; undefined when a percent escape is broken. */
function splitPath(path: string): string[] | undefined {
  try {
    return path.split("/").filter((part) => part !== "").map(decodeURIComponent);
  } catch {
    // A broken escape names no route; the caller answers 404.
    return undefined;
  }
}
