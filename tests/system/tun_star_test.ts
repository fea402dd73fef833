import assert from "node:assert/strict";
import { Lab, labTest } from "../lab/mod.ts";
import { withMesh } from "./system_mesh.ts";
import { tunNeeds } from "./tun_mesh.ts";
import { TunStar } from "./tun_star.ts";

labTest(
  "ten nodes that are linked to one relay each reach every other through the tunnel",
  tunNeeds,
  async () => {
    await using net = await Lab.create();
    const doors = await TunStar.site(net, 10);
    await withMesh(async (mesh) => {
      const star = await TunStar.create(mesh, net, doors);
      // How soon is the bench `packets-ten`'s to tell.
      await star.converge();
      for (const name of star.names) {
        const { peers } = await mesh.node(name).status();
        const links = peers.filter(({ link }) => link !== "-").map(({ id }) => id);
        assert.deepEqual(links, [mesh.id("relay")]);
      }
    }, net);
  },
);
