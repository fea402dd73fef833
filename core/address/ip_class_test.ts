import assert from "node:assert/strict";
import fc from "fast-check";
import { ipForms, isForbiddenIp, isLoopbackIp } from "./ip_class.ts";

Deno.test("link-local, metadata, multicast and unspecified addresses are forbidden in every spelling", () => {
  const bad = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "192.0.0.192",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "0:0:0:0:0:0:0:0",
    "::ffff:169.254.169.254",
    "::FFFF:a9fe:a9fe",
    "0:0:0:0:0:ffff:a9fe:a9fe",
    "0000:0000:0000:0000:0000:ffff:169.254.169.254",
    "::169.254.169.254",
    "::a9fe:a9fe",
    "::ffff:0:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fd00:ec2::254",
    "FD00:0EC2:0:0:0:0:0:254",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "ff02::1",
    "",
    "localhost",
    "0x7f.1",
    "2852039166",
  ];
  for (const address of bad) assert.equal(isForbiddenIp(address), true, address);
  const good = [
    "127.0.0.1",
    "10.0.0.1",
    "100.100.100.201",
    "192.0.2.1",
    "::1",
    "::ffff:10.0.0.1",
    "fd00::5",
    "fec0::1",
    "2001:db8::1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
  ];
  for (const address of good) assert.equal(isForbiddenIp(address), false, address);
});

Deno.test("loopback is recognised in both families and inside other addresses", () => {
  const local = [
    "127.0.0.1",
    "127.8.9.1",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::1%lo",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "0:0:0:0:0:ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
  ];
  for (const address of local) assert.equal(isLoopbackIp(address), true, address);
  for (const address of ["10.0.0.1", "::2", "128.0.0.1", "localhost", ""]) {
    assert.equal(isLoopbackIp(address), false, address);
  }
});

Deno.test("an address is judged the same however it is written", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
    const view = new DataView(bytes.buffer);
    const groups = Array.from({ length: 8 }, (_, n) => view.getUint16(n * 2).toString(16));
    const long = groups.map((group) => group.padStart(4, "0")).join(":");
    const dotted = `${groups.slice(0, 6).join(":")}:${bytes.subarray(12).join(".")}`;
    for (const text of [long, long.toUpperCase(), dotted, `${long}%x`]) {
      assert.equal(isForbiddenIp(text), isForbiddenIp(groups.join(":")), text);
      assert.equal(isLoopbackIp(text), isLoopbackIp(groups.join(":")), text);
    }
  }));
});

Deno.test("an address that holds an IPv4 address inside is both", () => {
  const forms = (address: string) => ipForms(address).map((bytes) => bytes.toHex());
  assert.deepEqual(forms("10.0.0.5"), ["0a000005"]);
  assert.deepEqual(forms("::ffff:10.0.0.5"), ["00000000000000000000ffff0a000005", "0a000005"]);
  assert.deepEqual(forms("64:ff9b::a00:5"), ["0064ff9b00000000000000000a000005", "0a000005"]);
  assert.deepEqual(forms("2001:db8::1"), ["20010db8000000000000000000000001"]);
  assert.deepEqual(forms("example.com"), []);
});
