import { SocksProtocolError } from "./errors.ts";
import { parseSocksAddress } from "./socks_address.ts";
import { encodeReply, socksReply } from "./socks_reply.ts";

/** Where a client wants to go. */
export interface SocksRequest {
  readonly host: string;
  readonly port: number;
}

/** What the adapter has to do after feeding bytes in. */
export interface SocksStep {
  /** To be sent to the client, possibly empty. */
  readonly send: Uint8Array<ArrayBuffer>;
  /** The client has said where it wants to go; bytes behind the request are in `rest()`. */
  readonly request?: SocksRequest;
  /** The client wants to send datagrams, from this port of its own; 0: it does not know from which. */
  readonly associate?: { readonly port: number };
  /** The conversation is over after `send`. */
  readonly end?: true;
}

/** Username/password pairs of RFC 1929; none means that no authentication is offered. */
export type SocksUsers = ReadonlyMap<string, string>;

const commandConnect = 1;
const commandAssociate = 3;
const methodNone = 0;
const methodPassword = 2;
const noMethod = 0xff;

type State = "greeting" | "credentials" | "request" | "done";

/**
 * The server side of SOCKS5 (RFC 1928, RFC 1929) up to the request, sans-I/O: bytes in, answers out, however they are cut.
 */
export class SocksProtocol {
  readonly #users: SocksUsers;
  #state: State = "greeting";
  #buffer = new Uint8Array(0);

  constructor(users: SocksUsers = new Map()) {
    this.#users = users;
  }

  /**
   * Holds on to less than one message: each has a length (513 bytes at most) and is taken as soon as it is whole. What a client sends
   * ahead, without waiting for answers, is used in its turn.
   * @throws {SocksProtocolError} not SOCKS5
   */
  push(bytes: Uint8Array): SocksStep {
    this.#append(bytes);
    const send: number[] = [];
    for (;;) {
      const step = this.#advance();
      if (step === undefined) return { send: Uint8Array.from(send) };
      send.push(...step.send);
      const last = step.request !== undefined || step.associate !== undefined || step.end;
      if (last) return { ...step, send: Uint8Array.from(send) };
    }
  }

  /** Bytes that came behind the request: the first of the payload. */
  rest(): Uint8Array {
    return this.#buffer;
  }

  #append(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#buffer.length + bytes.length);
    joined.set(this.#buffer, 0);
    joined.set(bytes, this.#buffer.length);
    this.#buffer = joined;
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }

  /** One message further; undefined while it has not come whole. */
  #advance(): SocksStep | undefined {
    if (this.#state === "greeting") return this.#greeting();
    if (this.#state === "credentials") return this.#credentials();
    if (this.#state === "request") return this.#request();
    return undefined;
  }

  #greeting(): SocksStep | undefined {
    const [version, count] = this.#buffer;
    if (version !== undefined && version !== 5) {
      throw new SocksProtocolError(`The client speaks SOCKS version ${version}, not 5`);
    }
    if (count === undefined || this.#buffer.length < 2 + count) return undefined;
    const offered = this.#take(2 + count).subarray(2);
    const wanted = this.#users.size > 0 ? methodPassword : methodNone;
    if (!offered.includes(wanted)) {
      this.#state = "done";
      return { send: Uint8Array.of(5, noMethod), end: true };
    }
    this.#state = wanted === methodPassword ? "credentials" : "request";
    return { send: Uint8Array.of(5, wanted) };
  }

  #credentials(): SocksStep | undefined {
    const [version, nameLength] = this.#buffer;
    if (version !== undefined && version !== 1) {
      throw new SocksProtocolError(`Version ${version} of the password method is not known`);
    }
    if (nameLength === undefined) return undefined;
    const passwordLength = this.#buffer[2 + nameLength];
    const total = 3 + nameLength + (passwordLength ?? 0);
    if (passwordLength === undefined || this.#buffer.length < total) return undefined;
    const message = this.#take(total);
    const decoder = new TextDecoder();
    const name = decoder.decode(message.subarray(2, 2 + nameLength));
    const password = message.subarray(3 + nameLength);
    const ok = equalBytes(new TextEncoder().encode(this.#users.get(name) ?? ""), password) &&
      this.#users.has(name);
    this.#state = ok ? "request" : "done";
    return ok ? { send: Uint8Array.of(1, 0) } : { send: Uint8Array.of(1, 1), end: true };
  }

  #request(): SocksStep | undefined {
    const [version, command] = this.#buffer;
    if (version !== undefined && version !== 5) {
      throw new SocksProtocolError(`The request is of SOCKS version ${version}, not 5`);
    }
    if (this.#buffer.length < 4) return undefined;
    if (command !== commandConnect && command !== commandAssociate) {
      return this.#refuse(socksReply.commandNotSupported);
    }
    const address = parseSocksAddress(this.#buffer.subarray(3));
    if (address === "short") return undefined;
    if (address === "type") return this.#refuse(socksReply.addressTypeNotSupported);
    if (address === "host") return this.#refuse(socksReply.hostUnreachable);
    this.#take(3 + address.length);
    const { host, port } = address;
    const send = new Uint8Array(0);
    if (command === commandConnect && port === 0) return this.#refuse(socksReply.hostUnreachable);
    this.#state = "done";
    return command === commandConnect
      ? { send, request: { host, port } }
      : { send, associate: { port } };
  }

  #refuse(reply: number): SocksStep {
    this.#state = "done";
    return { send: encodeReply(reply), end: true };
  }
}

/** Same time for every difference of two equally long values. */
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let n = 0; n < a.length; n++) difference |= a[n]! ^ b[n]!;
  return difference === 0;
}
