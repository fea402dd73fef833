import { isIP } from "node:net";
import { errorText } from "../errors/mod.ts";
import { makeProblem, type Problem } from "./problem.ts";
import { maxBodyBytes, requireJson } from "./request_body.ts";

/** What is known of a request before its body. */
export interface RequestHead {
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  /** Names in lower case, values in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** The address of this machine that the connection was made to. */
  readonly localAddress: string;
  /** TLS. */
  readonly secure: boolean;
}

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);
/** What must not be there twice: two readers could each see another one. */
const single = [
  "authorization",
  "content-length",
  "content-type",
  "host",
  "if-match",
  "origin",
  "sec-fetch-site",
  "transfer-encoding",
];

/**
 * Why a request must not get any further, whoever sent it: it is malformed, or a web page of another site is behind it. A browser
 * sends to any address on a page's behalf, so being on loopback protects from nothing. Such a request says in `Origin` or
 * `Sec-Fetch-Site` whose it is, and one that came by a name which was made to point here (DNS rebinding) has that name in `Host`.
 * @param names further names of this listener, in lower case
 */
export function refuseHead(head: RequestHead, names: ReadonlySet<string>): Problem | undefined {
  const { method, target } = head;
  for (const name of single) {
    if ((head.headers.get(name)?.length ?? 0) > 1) {
      return makeProblem(400, "HEADER_INVALID", `The header ${name} is there more than once`);
    }
  }
  if (!methods.has(method)) {
    const detail = `This API has no method ${method.slice(0, 20)}`;
    return makeProblem(405, "METHOD_NOT_ALLOWED", detail);
  }
  if (!target.startsWith("/")) {
    return makeProblem(400, "REQUEST_TARGET", "This is no proxy: the request line takes a path");
  }
  return refuseHost(head, names) ?? refuseOrigin(head) ?? refuseBody(head);
}

/** Only literal addresses, which nobody can make point elsewhere, and names the operator has given. */
function refuseHost(head: RequestHead, names: ReadonlySet<string>): Problem | undefined {
  const text = one(head, "host")?.toLowerCase() ?? "";
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const local = plainAddress(head.localAddress);
  const known = isIP(host) !== 0
    ? host === local
    : host === "localhost"
    ? local === "::1" || local.startsWith("127.")
    : names.has(host);
  if (known) return undefined;
  return makeProblem(
    421,
    "REQUEST_HOST",
    `This node is not called "${
      text.slice(0, 100)
    }"; use its address, or start it with --api-host and that name`,
  );
}

function refuseOrigin(head: RequestHead): Problem | undefined {
  const origin = one(head, "origin");
  const own = `${head.secure ? "https" : "http"}://${one(head, "host")}`;
  const foreign = origin !== undefined && origin.toLowerCase() !== own.toLowerCase();
  const site = one(head, "sec-fetch-site") ?? "none";
  if (!foreign && (site === "none" || site === "same-origin")) return undefined;
  return makeProblem(
    403,
    "REQUEST_ORIGIN",
    "This request comes from a page of another site; pages have no access here",
  );
}

function refuseBody(head: RequestHead): Problem | undefined {
  const length = one(head, "content-length");
  const size = Number(length ?? 0);
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    return makeProblem(400, "HEADER_INVALID", "Content-Length is not a number");
  }
  const hasBody = size > 0 || one(head, "transfer-encoding") !== undefined;
  if (!hasBody) return undefined;
  if (head.method === "GET" || head.method === "HEAD") {
    return makeProblem(400, "BODY_INVALID", `${head.method} takes no body`);
  }
  if (size > maxBodyBytes) {
    const detail = `The body is larger than ${maxBodyBytes} bytes`;
    return makeProblem(413, "BODY_TOO_LARGE", detail);
  }
  const encoding = one(head, "content-encoding") ?? "identity";
  if (encoding !== "identity") {
    const detail = "The body must not be compressed: what it grows to is not known beforehand";
    return makeProblem(415, "BODY_MEDIA_TYPE", detail);
  }
  try {
    requireJson(one(head, "content-type") ?? null);
  } catch (error) {
    return makeProblem(415, "BODY_MEDIA_TYPE", errorText(error));
  }
  return undefined;
}

function one({ headers }: RequestHead, name: string): string | undefined {
  return headers.get(name)?.[0];
}

/** An IPv4 peer of an IPv6 socket without the mapping. */
export function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "");
}
