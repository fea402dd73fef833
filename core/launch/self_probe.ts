import { dirname, join } from "node:path";
import type { PermissionProbe } from "../control/types.ts";
import { errorText } from "../errors/mod.ts";

/**
 * Tries, from inside the process, what a node that only relays must not be able to do, and what it needs. Nothing is asked of a
 * policy: each line is an attempt and what became of it. Only the network is asked about instead of dialled, because an attempt
 * would send traffic to a stranger.
 */
export async function probePermissions(
  options: { readonly dataDir: string },
): Promise<PermissionProbe[]> {
  const outside = join(dirname(options.dataDir), `pulse-probe-${crypto.randomUUID()}`);
  return [
    await attempt("load a native library", () => {
      Deno.dlopen("libc.so.6", {}).close();
    }),
    await attempt("open a TUN device", async () => {
      (await Deno.open("/dev/net/tun", { read: true, write: true })).close();
    }),
    await attempt("run a program", async () => {
      await new Deno.Command("true").output();
    }),
    await attempt("read outside the data directory", async () => {
      await Deno.readTextFile("/etc/passwd");
    }),
    await attempt("write outside the data directory", () => writeAndRemove(outside)),
    await attempt("read the environment", () => {
      Deno.env.get("HOME");
    }),
    await attempt("read system information", () => {
      Deno.hostname();
    }),
    await mayConnect("192.0.2.1:9"),
    await attempt(
      "write in the data directory",
      () => writeAndRemove(join(options.dataDir, `.probe-${crypto.randomUUID()}`)),
    ),
  ];
}

async function writeAndRemove(path: string): Promise<void> {
  await Deno.writeTextFile(path, "");
  await Deno.remove(path);
}

async function attempt(what: string, act: () => Promise<void> | void): Promise<PermissionProbe> {
  try {
    await act();
    return { what, allowed: true, detail: "it worked" };
  } catch (error) {
    // Only Deno's own refusal proves the sandbox; a missing file or program would fail elsewhere only by luck.
    const refused = error instanceof Deno.errors.NotCapable;
    return { what, allowed: !refused, detail: errorText(error) };
  }
}

async function mayConnect(host: string): Promise<PermissionProbe> {
  const { state } = await Deno.permissions.query({ name: "net", host });
  return {
    what: `connect to an address it was not told of (${host})`,
    allowed: state === "granted",
    // Without prompts a permission that would be asked for is one that is not there.
    detail: state === "granted" ? "the process may" : "the process may not",
  };
}
