import { z } from "zod";
import { ControlError } from "./errors.ts";

/** Longest first line in either direction, newline included. */
export const maxTunnelLine = 4_096;

/** What a client asks for in its first line. */
export interface TunnelRequest {
  /** Id, unique prefix of an id, or name; left out for the exit that leads to the target. */
  readonly node?: string;
  /** `host:port` as the destination sees it. */
  readonly target: string;
  /** Only on the TCP listener: the node's local token. */
  readonly token?: string;
}

/** The first line of the answer when the tunnel stands; raw bytes follow. */
export interface TunnelOpened {
  readonly node: string;
  /** Nodes it runs over, this one first. */
  readonly path: readonly string[];
}

const requestSchema = z.strictObject({
  node: z.string().min(1).max(100).optional(),
  target: z.string().min(3).max(300),
  port: z.int().min(1).max(65_535).optional(),
  token: z.string().max(200).optional(),
});

const openedSchema = z.object({
  ok: z.literal(true),
  node: z.string().max(100),
  path: z.array(z.string().max(100)).max(64),
});
const refusedSchema = z.object({ error: z.string(), code: z.string() });

/**
 * @returns the request and the port policy is asked about, taken from the target
 * @throws {ControlError} TUNNEL_INVALID
 */
export function parseTunnelRequest(line: string): TunnelRequest & { readonly port: number } {
  const result = requestSchema.safeParse(parseJson(line));
  if (!result.success) {
    throw new ControlError(
      "TUNNEL_INVALID",
      `The first line has to be {"node":"...","target":"host:port"}: ${
        z.prettifyError(result.error).slice(0, 300)
      }`,
    );
  }
  const { node, target, token } = result.data;
  const port = targetPort(target);
  if (result.data.port !== undefined && result.data.port !== port) {
    throw new ControlError(
      "TUNNEL_INVALID",
      `port ${result.data.port} is not the port of the target ${target}`,
    );
  }
  return {
    target,
    port,
    ...(node !== undefined && { node }),
    ...(token !== undefined && { token }),
  };
}

/** The port of `host:port` or `[v6]:port`. @throws {ControlError} TUNNEL_INVALID */
export function targetPort(target: string): number {
  const match = /^(?:\[[0-9a-fA-F:.%]+\]|[^:[\]\s]+):(\d{1,5})$/.exec(target);
  const port = Number(match?.[1] ?? 0);
  if (port < 1 || port > 65_535) {
    throw new ControlError(
      "TUNNEL_INVALID",
      `"${target.slice(0, 80)}" is no target; write host:port, such as localhost:22`,
    );
  }
  return port;
}

export function encodeTunnelRequest(request: TunnelRequest): Uint8Array {
  return encodeLine({ ...request });
}

export function encodeTunnelOpened(opened: TunnelOpened): Uint8Array {
  return encodeLine({ ok: true, ...opened });
}

/** A refusal; the text is cut so that the line stays within its limit. */
export function encodeTunnelRefused(code: string, error: string): Uint8Array {
  return encodeLine({ error: error.slice(0, 600), code: code.slice(0, 64) });
}

/**
 * @throws {ControlError} the refusal with its own code; CONTROL_PROTOCOL when it is neither
 */
export function parseTunnelAnswer(line: string): TunnelOpened {
  const content = parseJson(line);
  const opened = openedSchema.safeParse(content);
  if (opened.success) return { node: opened.data.node, path: opened.data.path };
  const refused = refusedSchema.safeParse(content);
  if (refused.success) throw new ControlError(refused.data.code, refused.data.error);
  throw new ControlError(
    "CONTROL_PROTOCOL",
    "What answers there does not speak pulse's tunnel protocol",
  );
}

function encodeLine(content: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content)}\n`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Not JSON at all: no schema fits undefined, and its refusal says what was expected.
    return undefined;
  }
}
