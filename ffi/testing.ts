import { cString, type Libc } from "./libc/libc.ts";

const CLONE_NEWNET = 0x4000_0000;

/**
 * Runs native calls inside a network namespace that `ip netns` has made. A namespace belongs to a thread, and a Deno program
 * stays on its own: sockets made in `act` remain in the namespace, everything afterwards is outside again.
 *
 * @param act must not wait: other code of this thread would run inside, too
 */
export function inNamespace<T>(libc: Libc, namespace: string, act: () => T): T {
  const library = Deno.dlopen("libc.so.6", {
    setns: { parameters: ["i32", "i32"], result: "i32" },
  });
  const enter = (path: string) => libc.check(libc.calls.open(cString(path), 0x80000), "open", path);
  const outside = enter("/proc/thread-self/ns/net");
  const inside = enter(`/run/netns/${namespace}`);
  try {
    libc.check(library.symbols.setns(inside, CLONE_NEWNET), "setns", `enter ${namespace}`);
    return act();
  } finally {
    libc.check(library.symbols.setns(outside, CLONE_NEWNET), "setns", "leave the namespace");
    libc.closeFile(inside);
    libc.closeFile(outside);
    library.close();
  }
}
