import assert from "node:assert/strict";
import { openFiles, residentBytes } from "../lab/mod.ts";
import { startTcpEcho } from "../security/fixtures/tcp_echo.ts";
import { transfer } from "../security/fixtures/traffic.ts";
import { type SystemMesh, withMesh } from "./system_mesh.ts";

const loopback = ["--listen", "127.0.0.1:0", "--addr", "none"];
const names = ["client", "relay", "server"];
const atOnce = 10;
/** Streams that each left one buffer of 256 KiB behind would add 77 MB. */
const streams = 300;
const mayGrow = 60e6;

/** A client that asks for a stream, says something and is gone. */
async function breakOff(port: number, node: string, target: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const name = new TextEncoder().encode(`${node}.pulse`);
  const request = [5, 1, 0, 3, name.length, ...name, target >> 8, target & 255];
  await conn.write(Uint8Array.of(5, 1, 0, ...request, ...new Uint8Array(500)));
  await conn.read(new Uint8Array(2));
}

/** Of every ten streams six are used to their end, three are broken off, one is refused. */
async function churn(mesh: SystemMesh, echoPort: number, count: number): Promise<void> {
  const socks = { host: "127.0.0.1", port: mesh.socksPort("client") };
  const server = mesh.id("server");
  for (let done = 0; done < count; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, (_, n) => {
      if (n < 6) return transfer(socks, server, echoPort, 50_000);
      if (n < 9) return breakOff(socks.port, server, echoPort);
      return assert.rejects(transfer(socks, server, 9, 1), /SOCKS answered 2/);
    }));
  }
}

Deno.test("streams through a relay by the hundred, also broken and refused ones, leave no open file and no memory at any of the nodes", async () => {
  await withMesh(async (mesh) => {
    await using echo = startTcpEcho();
    await mesh.start("relay", ...loopback, "--ca");
    const door = await mesh.address("relay");
    const code = await mesh.invite("relay", "--relay", door, "--max-uses", "2");
    await Promise.all([mesh.ok("client", "join", code), mesh.ok("server", "join", code)]);
    await mesh.start("client", ...loopback, "--socks", "--socks-listen", "127.0.0.1:0", door);
    await mesh.start("server", ...loopback, "--allow-local", `${echo.port}`, door);
    await mesh.path("client", "relay", "server");
    await churn(mesh, echo.port, 100);

    const pids = names.map((name) => mesh.node(name).pid);
    const before = pids.map((pid) => ({ files: openFiles(pid), bytes: residentBytes(pid) }));
    await churn(mesh, echo.port, streams);
    for (const [n, pid] of pids.entries()) {
      const { files, bytes } = before[n]!;
      await mesh.node(names[n]!).eventually(
        `no more open files than ${files} at the ${names[n]}`,
        () => Promise.resolve(openFiles(pid) <= files),
      );
      const grown = residentBytes(pid) - bytes;
      assert.ok(grown < mayGrow, `the ${names[n]} grew by ${grown} bytes`);
    }
  });
});
