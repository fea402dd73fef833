import assert from "node:assert/strict";
import { join } from "node:path";
import { createTestCa } from "../../core/identity/testing.ts";
import { member } from "../../core/sessions/websocket/testing.ts";
import { listenWebSocket } from "../../core/sessions/websocket/mod.ts";
import { labTest } from "../lab/requires.ts";
import { goBuild } from "./go_build.ts";

// node:tls will not even try a certificate with another key, so the thief has to be written in something else.
labTest("a member's certificate without its key gets no answer at all", { go: true }, async () => {
  const directory = await Deno.makeTempDir({ prefix: "pulse-thief-" });
  try {
    const thief = await goBuild(directory, "stolen_certificate_go_peer.go");
    const ca = await createTestCa();
    const victim = await ca.issue();
    const [certificate, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    await Deno.writeTextFile(certificate, victim.certificate.pem);
    await Deno.writeTextFile(key, victim.key.privateKeyPem);
    await using listener = await listenWebSocket({
      host: "127.0.0.1",
      port: 0,
      policy: await member(ca),
    });
    const run = async (...args: string[]) => {
      const { stdout } = await new Deno.Command(thief, {
        args: [`127.0.0.1:${listener.address.port}`, certificate, ...args],
      }).output();
      return new TextDecoder().decode(stdout);
    };
    // How it is shown the door depends on timing: the alert may be overtaken by the end of the connection.
    assert.match(await run(), /^(answer: "", then: |no connection)/);
    // The same program with the right key is let in: what failed above was the key and nothing else.
    assert.match(await run(key), /^answer: "HTTP\/1.1 101"/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
