import assert from "node:assert/strict";
import { TestUdpSocket } from "../../core/streams/udp_testing.ts";
import { encodeIpAddress, parseSocksAddress } from "./socks_address.ts";
import { parseUdpRequest } from "./udp_request.ts";

/** Support for tests: a program that sends datagrams through a SOCKS server. */
export class SocksUdpClient implements Disposable {
  readonly #control: Deno.TcpConn;
  readonly #socket: TestUdpSocket;
  readonly #relay: { readonly hostname: string; readonly port: number };

  private constructor(control: Deno.TcpConn, relay: { hostname: string; port: number }) {
    this.#control = control;
    this.#relay = relay;
    this.#socket = new TestUdpSocket(relay.hostname);
  }

  /** Asks for UDP ASSOCIATE. @throws {Error} refused; its message holds the reply */
  static async open(hostname: string, port: number): Promise<SocksUdpClient> {
    const control = await Deno.connect({ hostname, port });
    await control.write(Uint8Array.from([5, 1, 0, 5, 3, 0, ...encodeIpAddress("0.0.0.0", 0)]));
    const answer = new Uint8Array(64);
    let length = 0;
    for (;;) {
      const address = length < 6 ? "short" : parseSocksAddress(answer.subarray(5, length));
      if (typeof address !== "string" && answer[3] === 0) {
        return new SocksUdpClient(control, { hostname: address.host, port: address.port });
      }
      if (length >= 4 && answer[3] !== 0) {
        control.close();
        throw new Error(`UDP ASSOCIATE was answered ${answer[3]}`);
      }
      length += await control.read(answer.subarray(length)) ?? assert.fail("no answer came");
    }
  }

  /** Sends to a name or address of at most 255 characters. */
  async send(host: string, port: number, payload: Uint8Array, fragment = 0): Promise<void> {
    const name = new TextEncoder().encode(host);
    const header = [0, 0, fragment, 3, name.length, ...name, port >> 8, port & 255];
    await this.sendRaw(Uint8Array.from([...header, ...payload]));
  }

  /** Sends bytes as they are. */
  async sendRaw(bytes: Uint8Array): Promise<void> {
    await this.#socket.send(bytes, this.#relay);
  }

  /** The next datagram, and from where it says it comes. */
  async receive(): Promise<{ from: string; payload: Uint8Array }> {
    const [bytes] = await this.#socket.receive();
    const { host, port, payload } = parseUdpRequest(bytes) ?? assert.fail("no header");
    return { from: `${host}:${port}`, payload };
  }

  /** Where the server takes datagrams. */
  get relay(): { readonly hostname: string; readonly port: number } {
    return this.#relay;
  }

  [Symbol.dispose](): void {
    this.#control.close();
    this.#socket[Symbol.dispose]();
  }
}
