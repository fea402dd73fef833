import type { Json } from "./types.ts";

/** A network config at its largest has about half as many. */
const maxNodes = 1_000_000;
const maxDepth = 64;

/**
 * Whether a value from another isolate is plain data. A structured clone may also hold Maps, buffers, circles and numbers JSON
 * cannot write.
 */
export function isJson(value: unknown): value is Json {
  let nodes = 0;
  const visit = (item: unknown, depth: number): boolean => {
    if (++nodes > maxNodes || depth > maxDepth) return false;
    switch (typeof item) {
      case "string":
      case "boolean":
        return true;
      case "number":
        return Number.isFinite(item);
      case "undefined":
        // Only as the value of a property, where JSON leaves it out.
        return depth > 0;
      case "object":
        if (item === null) return true;
        if (Array.isArray(item)) {
          return item.every((entry) => entry !== undefined && visit(entry, depth + 1));
        }
        return isPlain(item) && Object.values(item).every((entry) => visit(entry, depth + 1));
      default:
        return false;
    }
  };
  return visit(value, 0);
}

function isPlain(item: object): boolean {
  const prototype = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null;
}
