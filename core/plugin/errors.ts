import { type ErrorFields, PulseError } from "../errors/mod.ts";

/** What can go wrong between the host and a plugin. Stable; programs may test for them. */
export type PluginErrorCode =
  /** The table in `deno.json` breaks a rule. */
  | "PLUGIN_MANIFEST"
  | "PLUGIN_NEED_UNMET"
  | "PLUGIN_CYCLE"
  /** Two plugins claim the same service, protocol or route. */
  | "PLUGIN_CONFLICT"
  /** It asks for a permission this process does not have itself. */
  | "PLUGIN_PERMISSION"
  /** Its module did not load, or its factory or `onStart` failed. */
  | "PLUGIN_START"
  | "PLUGIN_DEADLINE"
  /** It is not running now. */
  | "PLUGIN_DOWN"
  /** More calls or streams at once than allowed. */
  | "PLUGIN_OVERLOADED"
  | "PLUGIN_SERVICE_UNKNOWN"
  | "PLUGIN_METHOD_UNKNOWN"
  /** It called a service its manifest does not name in `needs`. */
  | "PLUGIN_SERVICE_UNDECLARED"
  /** It threw something that is not a `PulseError`. */
  | "PLUGIN_FAILED"
  /** It said something over its channel that makes no sense. */
  | "PLUGIN_PROTOCOL"
  | "PLUGIN_ABORTED";

/** An error of the plugin host. */
export class PluginError extends PulseError {
  override readonly name = "PluginError";

  constructor(code: PluginErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(code, message, fields, cause);
  }
}
