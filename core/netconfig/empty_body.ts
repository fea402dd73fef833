import type { ConfigBody } from "./types.ts";

/** What holds where nobody has said anything. */
export const emptyBody: ConfigBody = {
  meshCidr: "10.100.0.0/16",
  nodes: {},
  dns: [],
  acls: [],
  aclAssertions: [],
  revoked: [],
  tokens: [],
  routes: [],
  templates: {},
};
