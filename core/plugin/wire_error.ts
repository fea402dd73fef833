import { type ErrorFields, errorText, PulseError } from "../errors/mod.ts";
import { StreamResetError } from "../sessions/errors.ts";

/** An error as it crosses an isolate: plain data, no stack (a plugin need not know our paths, nor we believe its). */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly fields: ErrorFields;
  readonly cause?: WireError;
}

const maxCauses = 4;
const maxMessage = 2_000;
const maxFields = 32;

/**
 * Flattens anything that was thrown. A `PulseError` keeps code, message and fields; anything else becomes PLUGIN_FAILED with
 * the text, and the class in `fields.thrown`. Recognised by shape, not by class: a bundled plugin carries its own copy of it.
 */
export function toWireError(error: unknown, depth = 0): WireError {
  const cause = error instanceof Error && error.cause !== undefined && depth < maxCauses
    ? { cause: toWireError(error.cause, depth + 1) }
    : {};
  if (isPulseErrorShape(error)) {
    return {
      code: error.code,
      message: cut(error.message),
      fields: cleanFields(error.fields),
      ...cause,
    };
  }
  const thrown = error instanceof Error ? error.name : typeof error;
  return { code: "PLUGIN_FAILED", message: cut(errorText(error)), fields: { thrown }, ...cause };
}

/** The error again: a `StreamResetError` stays one, every other is a `PulseError` with its code. */
export function fromWireError(wire: WireError): PulseError {
  const cause = wire.cause === undefined ? undefined : fromWireError(wire.cause);
  if (wire.code === "SESSION_STREAM_RESET") {
    const { resetCode } = wire.fields;
    return new StreamResetError(wire.message, typeof resetCode === "number" ? resetCode : 0, cause);
  }
  return new PulseError(wire.code, wire.message, wire.fields, cause);
}

/** Reads an error that came from an isolate we do not trust; whatever is wrong with it becomes readable text. */
export function parseWireError(value: unknown, depth = 0): WireError {
  if (typeof value !== "object" || value === null) {
    return { code: "PLUGIN_FAILED", message: "The plugin failed without saying why", fields: {} };
  }
  const { code, message, fields, cause } = value as Record<string, unknown>;
  return {
    code: typeof code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : "PLUGIN_FAILED",
    message: typeof message === "string" ? cut(message) : "(no message)",
    fields: cleanFields(fields),
    ...(cause !== undefined && depth < maxCauses
      ? { cause: parseWireError(cause, depth + 1) }
      : {}),
  };
}

function isPulseErrorShape(error: unknown): error is PulseError {
  return error instanceof PulseError ||
    (error instanceof Error && "code" in error && typeof error.code === "string" &&
      "fields" in error && typeof error.fields === "object");
}

function cut(text: string): string {
  return text.length <= maxMessage ? text : `${text.slice(0, maxMessage)}...`;
}

function cleanFields(fields: unknown): ErrorFields {
  if (typeof fields !== "object" || fields === null) return {};
  const clean: Record<string, ErrorFields[string]> = {};
  for (const [key, value] of Object.entries(fields).slice(0, maxFields)) {
    if (typeof value === "string") clean[key] = cut(value);
    else if (typeof value === "number" || typeof value === "boolean" || value === null) {
      clean[key] = value;
    } else if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
      clean[key] = value.slice(0, 64).map(cut);
    }
  }
  return clean;
}
