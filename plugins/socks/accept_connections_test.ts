import assert from "node:assert/strict";
import { acceptConnections } from "./accept_connections.ts";

Deno.test("an accept that fails is tried again, told once, and the end of the listener is the end", async () => {
  const conn = {} as Deno.TcpConn;
  const script = [
    () => Promise.reject(new Error("Too many open files (os error 24)")),
    () => Promise.reject(new Error("Too many open files (os error 24)")),
    () => Promise.resolve(conn),
    () => Promise.reject(new Deno.errors.BadResource("Listener has been closed")),
  ];
  const welcomed: Deno.TcpConn[] = [];
  const lines: string[] = [];
  await acceptConnections(
    { accept: () => script.shift()!() },
    (one) => welcomed.push(one),
    (level, message) => lines.push(`${level} ${message}`),
  );
  assert.deepEqual(welcomed, [conn]);
  assert.deepEqual(lines, ["warn connections cannot be accepted"]);
});

Deno.test("a listener closed while it waits ends the loop", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = acceptConnections(listener, () => {}, () => {});
  await Promise.resolve();
  listener.close();
  await accepting;
});
