import assert from "node:assert/strict";
import { StreamError } from "../../core/streams/mod.ts";
import { assertEchoes } from "./fixtures/echo.ts";
import { createScene } from "./fixtures/scene.ts";
import { startTcpEcho } from "./fixtures/tcp_echo.ts";
import { transports } from "./fixtures/transports.ts";
import { within } from "./fixtures/within.ts";

/** Where clouds keep what nobody may ask for, and other places no stream may lead; as many ways to write them as there are. */
const forbidden = [
  "169.254.169.254",
  "169.254.170.2",
  "169.254.0.1",
  "100.100.100.200",
  "192.0.0.192",
  "2852039166",
  "0xa9fea9fe",
  "0xA9.0xFE.0xA9.0xFE",
  "0251.0376.0251.0376",
  "169.254.43518",
  "169.16689662",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[::FFFF:A9FE:A9FE]",
  "[0:0:0:0:0:ffff:a9fe:a9fe]",
  "[0000:0000:0000:0000:0000:ffff:169.254.169.254]",
  "[::169.254.169.254]",
  "[::a9fe:a9fe]",
  "[64:ff9b::a9fe:a9fe]",
  "[64:ff9b::169.254.169.254]",
  "[64:ff9b:0:0:0:0:a9fe:a9fe]",
  "[2002:a9fe:a9fe::1]",
  "[fd00:ec2::254]",
  "[fd00:0ec2:0:0:0:0:0:254]",
  "[FD00:EC2::254]",
  "[fe80::1]",
  "[fe80::1%1]",
  "[febf::1]",
  "[ff02::1]",
  "0.0.0.0",
  "0",
  "0x0",
  "0.0.0.1",
  "[::]",
  "[0:0:0:0:0:0:0:0]",
  "[::ffff:0.0.0.0]",
  "224.0.0.1",
  "255.255.255.255",
];

const loopback = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "127.255.255.254",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "localhost",
  "LOCALHOST",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::7f00:1]",
];

const nonsense = [
  "",
  " ",
  "127.0.0.1\u0000.example.com",
  "127.0.0.1/",
  "user@127.0.0.1",
  "[127.0.0.1]",
  "[::1",
  "[::1]x",
  "[fe80::1%]",
  "[fe80::1%lo]",
  "a\nb",
];

for (const transport of transports) {
  Deno.test(`over ${transport}, no spelling of a metadata, link-local or local address gets past a node's target rules`, async () => {
    await using echo = startTcpEcho();
    await using other = startTcpEcho();
    await using scene = await createScene(transport, {
      victim: { targets: { any: true, allowsLocalPort: (port) => port === echo.port } },
    });
    const status = async (host: string, port: number): Promise<string> => {
      const request = {
        destination: scene.victim.id,
        protocol: "tcp",
        target: `${host}:${port}`,
        port,
      };
      try {
        const stream = await within(host, scene.friend.openStream(request));
        stream.reset();
        return "opened";
      } catch (error) {
        assert.ok(error instanceof StreamError, `${host}: ${error}`);
        return error.status;
      }
    };
    for (const host of forbidden) {
      assert.equal(await status(host, echo.port), "STREAM_DENIED", host);
    }
    for (const host of loopback) {
      assert.equal(await status(host, other.port), "STREAM_DENIED", host);
    }
    for (const host of nonsense) assert.notEqual(await status(host, other.port), "opened", host);
    assert.equal(other.accepted() + echo.accepted(), 0);

    // The door that was opened on purpose is open, and leads nowhere else.
    const stream = await scene.friend.openStream({
      destination: scene.victim.id,
      protocol: "tcp",
      target: `localhost:${echo.port}`,
      port: echo.port,
    });
    await assertEchoes(stream);
    await scene.assertServes();
  });
}
