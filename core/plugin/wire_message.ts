import { parseWireError, type WireError } from "./wire_error.ts";

/** What the two ends of a plugin's channel say to each other. `ports` are the stream ports the message hands over. */
export type WireMessage =
  | {
    readonly type: "call";
    readonly id: number;
    readonly method: string;
    readonly args: readonly unknown[];
    readonly ports: readonly MessagePort[];
  }
  | { readonly type: "cancel"; readonly id: number }
  | {
    readonly type: "result";
    readonly id: number;
    readonly value: unknown;
    readonly ports: readonly MessagePort[];
  }
  | { readonly type: "error"; readonly id: number; readonly error: WireError }
  /** Nobody waits for an answer. */
  | { readonly type: "note"; readonly method: string; readonly args: readonly unknown[] };

const maxMethod = 64;
const maxArgs = 8;
const maxPorts = 2;

/** Reads a message from the other isolate; undefined when it is not one. Arguments and values are the caller's to check. */
export function parseWireMessage(data: unknown): WireMessage | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { type, id, method, args, ports, value, error } = data as Record<string, unknown>;
  if (type === "note") {
    return isMethod(method) && isArgs(args) ? { type, method, args } : undefined;
  }
  if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0) return undefined;
  switch (type) {
    case "call":
      return isMethod(method) && isArgs(args) && isPorts(ports)
        ? { type, id, method, args, ports }
        : undefined;
    case "cancel":
      return { type, id };
    case "result":
      return isPorts(ports) ? { type, id, value, ports } : undefined;
    case "error":
      return { type, id, error: parseWireError(error) };
    default:
      return undefined;
  }
}

function isMethod(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxMethod;
}

function isArgs(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= maxArgs;
}

function isPorts(value: unknown): value is readonly MessagePort[] {
  return Array.isArray(value) && value.length <= maxPorts &&
    value.every((port) => port instanceof MessagePort);
}
