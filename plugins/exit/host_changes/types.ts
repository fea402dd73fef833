import type { RouteSpec, Rule, TableId } from "../../../ffi/mod.ts";

/** What the packet filter of an exit does. */
export interface ExitFilter {
  /** The interface packets of the mesh come and go by. */
  readonly device: string;
  /** Where they may go. */
  readonly ranges: readonly string[];
  /** Where they come from. */
  readonly mesh: readonly string[];
}

/** One thing that is to be so on this machine. */
export type HostChange =
  /** A setting of the kernel. */
  | { readonly kind: "setting"; readonly name: string; readonly value: string }
  /** IPv6 is forwarded: one setting that sets those of all interfaces. */
  | { readonly kind: "forwarding6" }
  | { readonly kind: "rule"; readonly rule: Rule }
  | { readonly kind: "route"; readonly route: RouteSpec }
  /** A table of our own in the packet filter. */
  | { readonly kind: "filter"; readonly filter: ExitFilter }
  /** In another program's chain that drops what it does not know, packets of the mesh pass. */
  | {
    readonly kind: "pass";
    readonly table: TableId;
    readonly chain: string;
    readonly device: string;
  };

/** A change, and what was there before it. */
export type HostEntry =
  | Exclude<HostChange, { kind: "setting" | "forwarding6" }>
  | {
    readonly kind: "setting";
    readonly name: string;
    readonly value: string;
    readonly before: string;
  }
  | {
    readonly kind: "forwarding6";
    readonly before: string;
    /** By interface, and of `default`. */
    readonly interfaces: Readonly<Record<string, string>>;
  };

/** The machine, as far as changes go. Applying and undoing again what is so already does nothing. */
export interface ChangeableHost {
  /** Another one after every boot, with which all changes are gone. */
  readonly boot: string;
  /** Looks what is there before a change; undefined: there is nothing that could be changed. */
  record(change: HostChange): HostEntry | undefined;
  apply(entry: HostEntry): void;
  undo(entry: HostEntry): void;
  /** Those of the entries that somebody has undone. */
  missing(entries: readonly HostEntry[]): readonly HostEntry[];
}

/** What two changes have in common that are about the same thing. */
export function changeKey(change: HostChange | HostEntry): string {
  switch (change.kind) {
    case "setting":
      return `setting ${change.name}`;
    case "forwarding6":
    case "filter":
      return change.kind;
    case "rule":
      return `rule ${sorted(change.rule)}`;
    case "route":
      return `route ${sorted(change.route)}`;
    case "pass":
      return `pass ${change.table.family} ${change.table.name} ${change.chain} ${change.device}`;
  }
}

function sorted(value: object): string {
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}
