import type { LoopCommand } from "./types.ts";

/** The loop as the control part sees it: wherever it runs, commands are carried out in their order. */
export interface LoopPort extends AsyncDisposable {
  /** Never waits. */
  tell(...commands: readonly LoopCommand[]): void;
}
