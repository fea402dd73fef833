import { noDlopen } from "./no_dlopen.ts";
import { roomBoundaries } from "./room_boundaries.ts";
import { sansIo } from "./sans_io.ts";

/** The house rules that the stock linter does not know. */
const plugin: Deno.lint.Plugin = {
  name: "pulse",
  rules: { "sans-io": sansIo, "room-boundaries": roomBoundaries, "no-dlopen": noDlopen },
};

export default plugin;
