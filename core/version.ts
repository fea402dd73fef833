/** This build's version: the same as in `deno.json`, without reading a file at run time. */
export const version = "0.1.0";
