import { SystemMesh } from "../system/system_mesh.ts";

/** A node listens on loopback and tells nobody where: links go where they are told to. */
const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];

/** A mesh with one node, `hub`: CA and relay. It ends with `stack`, its files too. */
export async function startHub(
  stack: AsyncDisposableStack,
  ...flags: string[]
): Promise<SystemMesh> {
  const directory = await Deno.makeTempDir({ prefix: "pulse-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const mesh = stack.use(new SystemMesh(directory));
  await mesh.start("hub", "--ca", ...loopback, ...flags);
  return mesh;
}

/** The flags with which a new node joins at the hub and has it as its only neighbour. */
export async function joinFlags(mesh: SystemMesh): Promise<string[]> {
  const code = await mesh.invite("hub", "--relay", await mesh.address("hub"));
  return [...loopback, "--join", code];
}
