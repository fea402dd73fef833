import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { parseConfigFile, readConfigFile } from "./config_file.ts";
import { ConfigError } from "./errors.ts";

const path = "/etc/pulse.toml";
const messageOf = (content: string): string => {
  try {
    parseConfigFile(content, path);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail("nothing was thrown");
};

Deno.test("a file sets what its keys say, under the names of the flags", () => {
  const settings = parseConfigFile(
    `network = "corp"\nca-token = "t"\nca = true\npeers = ["a:1", "b:2"]\nlog-level = "debug"\n`,
    path,
  );
  assert.deepEqual(settings, {
    network: "corp",
    caToken: "t",
    ca: true,
    peers: ["a:1", "b:2"],
    logLevel: "debug",
  });
  const socks = parseConfigFile(`socks = true\nsocks-users = { ann = "secret" }`, path);
  assert.deepEqual(socks, { socks: true, socksUsers: { ann: "secret" } });
  assert.deepEqual(parseConfigFile("", path), {});
});

Deno.test("an error names the file, the key and what was expected there", () => {
  assert.equal(
    messageOf(`listen = 8443`),
    `/etc/pulse.toml: "listen" must be a text in quotes, not a number`,
  );
  assert.equal(
    messageOf(`ca = "yes"`),
    `/etc/pulse.toml: "ca" must be true or false, not a text`,
  );
  assert.equal(
    messageOf(`peers = "a:1"`),
    `/etc/pulse.toml: "peers" must be a list, not a text`,
  );
  assert.equal(
    messageOf(`peers = ["a:1", 2]`),
    `/etc/pulse.toml: "peers[1]" must be a text in quotes, not a number`,
  );
  assert.equal(
    messageOf(`socks-users = { ann = 1 }`),
    `/etc/pulse.toml: "socks-users.ann" must be a text in quotes, not a number`,
  );
  assert.match(messageOf(`socks-users = { ann = "${"x".repeat(256)}" }`), /longer than 255 bytes/);
  assert.match(messageOf(`ca-days = 0`), /^\/etc\/pulse.toml: "ca-days": .*0$/);
  assert.equal(messageOf(`network = ""`), `/etc/pulse.toml: "network" must not be empty`);
});

Deno.test("an unknown key is refused, with the key that was probably meant", () => {
  assert.equal(
    messageOf(`lisen = ":1"`),
    `/etc/pulse.toml: unknown key "lisen"; did you mean "listen"?`,
  );
  assert.match(messageOf(`[server]\nport = 1`), /unknown key "server"; known keys: data-dir, /);
});

Deno.test("what is not TOML is refused with the line it stops making sense at", () => {
  assert.match(
    messageOf(`network = "corp"\nlisten = :8443\n`),
    /^\/etc\/pulse\.toml:2:10: this is not TOML: /,
  );
});

Deno.test("any text is either settings or a ConfigError", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (content) => {
      try {
        parseConfigFile(content, path);
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
      }
    }),
  );
});

Deno.test("a file with a token or a password must not be readable by everybody", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const file = join(dir, "pulse.toml");
    await Deno.writeTextFile(file, `token = "secret"`);
    await Deno.chmod(file, 0o644);
    await assert.rejects(readConfigFile(file), { message: /chmod 600/ });
    await Deno.chmod(file, 0o640);
    assert.deepEqual(await readConfigFile(file), { token: "secret" });
    await Deno.writeTextFile(file, `socks-users = { ann = "secret" }`);
    await Deno.chmod(file, 0o644);
    await assert.rejects(readConfigFile(file), { message: /holds a secret.*chmod 600/ });
    await assert.rejects(readConfigFile(join(dir, "none.toml")), { code: "CONFIG_INVALID" });
    await assert.rejects(readConfigFile(dir), { message: /is not a file|Is a directory/ });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
