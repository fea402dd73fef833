import assert from "node:assert/strict";
import { dialDirect, type DialRules, isForbidden } from "./direct_dial.ts";

const { signal } = new AbortController();

Deno.test("addresses of this machine, of this link and of metadata services are dialled for nobody", () => {
  for (
    const address of [
      "127.0.0.1",
      "127.9.9.9",
      "0.0.0.0",
      "169.254.169.254",
      "100.100.100.200",
      "224.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "0:0:0:0:0:0:0:1",
      "fe80::1",
      "febf::1",
      "ff02::1",
      "fd00:ec2::254",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "0:0:0:0:0:ffff:a9fe:a9fe",
    ]
  ) {
    assert.equal(isForbidden(address), true, address);
  }
  for (
    const address of [
      "10.0.0.1",
      "192.168.1.1",
      "8.8.8.8",
      "2001:db8::1",
      "fd41::1",
      "::ffff:8.8.8.8",
    ]
  ) {
    assert.equal(isForbidden(address), false, address);
  }
});

const rules = (...addresses: string[]): DialRules => ({
  resolve: () => Promise.resolve(addresses),
  forbids: isForbidden,
});

Deno.test("a name is judged by every address it has", async () => {
  const mixed = rules("192.0.2.1", "127.0.0.1");
  await assert.rejects(dialDirect("sneaky.example", 80, signal, mixed), { code: "STREAM_DENIED" });
  await assert.rejects(dialDirect("169.254.169.254", 80, signal), { code: "STREAM_DENIED" });
  await assert.rejects(dialDirect("nowhere.example", 80, signal, rules()), {
    code: "STREAM_HOST_UNREACHABLE",
  });
});

Deno.test("the addresses of a name are tried in turn, and a refusal is told as one", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const lenient: DialRules = {
    resolve: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
    forbids: () => false,
  };
  const conn = await dialDirect("here.example", port, signal, lenient);
  conn.close();
  listener.close();
  await assert.rejects(dialDirect("127.0.0.1", port, signal, lenient), { code: "STREAM_REFUSED" });
});

Deno.test("an abort ends the dial with its reason", async () => {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const dialling = dialDirect("x.example", 9, controller.signal, {
    resolve: () => promise,
    forbids: isForbidden,
  });
  controller.abort(new Error("enough"));
  resolve(["127.0.0.1"]);
  await assert.rejects(dialling, /enough/);
});
