/** Who asked for a change, and from where, as the audit log has it. */
export interface WhoAsks {
  readonly by: string;
  readonly from: string;
}

/** @param by `local` for the unix socket, else `key:<id>@<address>`; a plugin's own doings have no address */
export function whoAsks(by: string): WhoAsks {
  const at = by.indexOf("@");
  return at < 0 ? { by, from: "this machine" } : { by: by.slice(0, at), from: by.slice(at + 1) };
}
