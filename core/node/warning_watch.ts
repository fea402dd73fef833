import type { HealthWarning } from "../control/types.ts";
import type { EventFields } from "../history/types.ts";

/** An event to be recorded. */
export interface WarningEvent {
  readonly type: string;
  readonly fields: EventFields;
}

/** `ExpiryWatch` makes events of these. */
const expiry = /^(?:CERTIFICATE|CA)_EXPIR(?:ING|ED)$/;

/** Makes events of the warnings in `status`: one when a warning comes, one when it is gone. */
export class WarningWatch {
  #known = new Map<string, HealthWarning>();

  next(warnings: readonly HealthWarning[]): WarningEvent[] {
    const now = new Map<string, HealthWarning>();
    for (const warning of warnings) {
      // Texts change while the matter stays the same; of several with one code the first speaks for all.
      if (!now.has(warning.code) && !expiry.test(warning.code)) now.set(warning.code, warning);
    }
    const events: WarningEvent[] = [];
    for (const [code, { severity, text }] of now) {
      if (this.#known.has(code)) continue;
      events.push({ type: "warning", fields: { detail: text, code, severity } });
    }
    for (const [code, { text }] of this.#known) {
      if (!now.has(code)) events.push({ type: "warning_over", fields: { detail: text, code } });
    }
    this.#known = now;
    return events;
  }
}
