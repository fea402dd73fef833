import { Errno, errnoName } from "../libc/errno.ts";
import { FfiError } from "../libc/errors.ts";
import type { Libc } from "../libc/libc.ts";
import { joinBytes } from "./attributes.ts";
import { DumpCollector } from "./dump_collector.ts";
import {
  encodeMessage,
  Flag,
  type NetlinkMessage,
  NLMSG_ERROR,
  readMessages,
  readVerdict,
  type Verdict,
} from "./message.ts";

const AF_NETLINK = 16;
/** SOCK_RAW | SOCK_CLOEXEC */
const TYPE = 3 | 0x80000;
const protocols = { route: 0, netfilter: 12 } as const;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;

/** The kernel answers before `send()` returns; this long it may take when it does not. */
const ANSWER_SECONDS = 5;
/** What the kernel puts into one datagram of a dump is at most 32 KiB. */
const RECEIVE_BYTES = 1 << 16;
/** Most bytes of one batch. */
const BATCH_BYTES = 1 << 22;
/** Most messages of one dump: four full tables of the internet. */
const MOST_MESSAGES = 1 << 22;
/** How often a dump is begun anew when the table changes under it. */
const DUMP_ATTEMPTS = 10;

/** What a message is, and what it is about, for errors: `RTM_NEWROUTE`, `add the route 10.0.0.0/8`. */
export interface Purpose {
  readonly call: string;
  readonly what: string;
  /** What to do when it is refused with a number. */
  readonly hints?: Readonly<Record<number, string>>;
}

/** A message before it has a sequence number. */
export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: readonly Uint8Array[];
}

/**
 * A conversation with the kernel about its network settings. Requests are answered one after the other, at once, so the
 * calls block; each network namespace has a kernel of its own in this, the one the socket was opened in.
 */
export class NetlinkSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  #sequence = 0;

  /** @throws {FfiError} FFI_SYSCALL */
  constructor(libc: Libc, protocol: keyof typeof protocols) {
    this.#libc = libc;
    this.#fd = libc.check(
      libc.calls.socket(AF_NETLINK, TYPE, protocols[protocol]),
      "socket(AF_NETLINK)",
      `speak netlink (${protocol})`,
    );
    try {
      // struct sockaddr_nl of zeros: the kernel chooses the port.
      const address = new Uint8Array(12);
      new DataView(address.buffer).setUint16(0, AF_NETLINK, true);
      libc.check(libc.calls.bind(this.#fd, address, 12), "bind", `speak netlink (${protocol})`);
      const timeout = BigInt64Array.of(BigInt(ANSWER_SECONDS), 0n);
      libc.check(
        libc.calls.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16),
        "setsockopt(SO_RCVTIMEO)",
        "limit the wait for the kernel",
      );
      // Short answers with reasons, and dumps that filter: kernels that lack one only tell less, or more.
      for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
        libc.setOption(this.#fd, SOL_NETLINK, option, 1);
      }
      libc.setOption(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, BATCH_BYTES);
    } catch (error) {
      libc.closeFile(this.#fd);
      throw error;
    }
  }

  /** Has the kernel do one thing. @throws {FfiError} FFI_NETLINK it refuses, with its reason; FFI_SYSCALL, FFI_MESSAGE */
  request({ type, flags, body }: Request, purpose: Purpose): void {
    const sequence = this.#next();
    this.#send(
      encodeMessage({ type, flags: flags | Flag.request | Flag.ack, sequence }, body),
      purpose,
    );
    for (;;) {
      for (const message of this.#receive(purpose)) {
        if (message.sequence !== sequence || message.type !== NLMSG_ERROR) continue;
        return accept(readVerdict(message), purpose);
      }
    }
  }

  /** Asks for one object. @returns undefined when there is none: the kernel answers with one of `absent` */
  get(
    { type, flags, body }: Request,
    purpose: Purpose,
    absent: readonly number[],
  ): NetlinkMessage | undefined {
    const sequence = this.#next();
    this.#send(
      encodeMessage({ type, flags: flags | Flag.request | Flag.ack, sequence }, body),
      purpose,
    );
    let found: NetlinkMessage | undefined;
    for (;;) {
      for (const message of this.#receive(purpose)) {
        if (message.sequence !== sequence) continue;
        if (message.type !== NLMSG_ERROR) {
          found = message;
          continue;
        }
        const verdict = readVerdict(message);
        if (absent.includes(verdict.errno)) return undefined;
        accept(verdict, purpose);
        return found;
      }
    }
  }

  /** Reads a table out, whole and in one state. @throws {FfiError} FFI_NETLINK, FFI_SYSCALL, FFI_MESSAGE */
  dump({ type, body }: Omit<Request, "flags">, purpose: Purpose): NetlinkMessage[] {
    for (let attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
      const messages = this.#dumpOnce({ type, body }, purpose);
      if (messages !== undefined) return messages;
    }
    throw new FfiError(
      "FFI_NETLINK",
      `cannot ${purpose.what}: it changed ${DUMP_ATTEMPTS} times while it was read; try again`,
      { syscall: purpose.call },
    );
  }

  /**
   * Sends several messages as one datagram, for protocols that do all of them or none.
   *
   * @param purposes by message
   * @throws {FfiError} FFI_NETLINK, for the first message that was refused
   */
  batch(requests: readonly Request[], purposes: readonly Purpose[], whole: Purpose): void {
    const sequences = requests.map(() => this.#next());
    const messages = requests.map(({ type, flags, body }, index) =>
      encodeMessage({ type, flags: flags | Flag.request, sequence: sequences[index] ?? 0 }, body)
    );
    this.#send(joinBytes(messages), whole);
    // All answers are there when send() returns: refusals always, approvals where they were asked for.
    let approved = false;
    let refusal: FfiError | undefined;
    for (;;) {
      const answers = this.#receive(whole, MSG_DONTWAIT);
      if (answers.length === 0) break;
      for (const message of answers) {
        const index = sequences.indexOf(message.sequence);
        if (index < 0 || message.type !== NLMSG_ERROR) continue;
        const verdict = readVerdict(message);
        if (verdict.errno === 0) approved = true;
        else refusal ??= refused(verdict, purposes[index] ?? whole);
      }
    }
    if (refusal !== undefined) throw refusal;
    if (!approved) {
      throw new FfiError("FFI_NETLINK", `cannot ${whole.what}: the kernel did not answer`, {
        syscall: whole.call,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#libc.closeFile(this.#fd);
  }

  /** Undefined when the table changed meanwhile. */
  #dumpOnce(
    { type, body }: Omit<Request, "flags">,
    purpose: Purpose,
  ): NetlinkMessage[] | undefined {
    const sequence = this.#next();
    this.#send(encodeMessage({ type, flags: Flag.request | Flag.dump, sequence }, body), purpose);
    const collector = new DumpCollector(sequence, MOST_MESSAGES);
    for (;;) {
      const result = collector.take(this.#receive(purpose));
      switch (result.state) {
        case "more":
          continue;
        case "again":
          return undefined;
        case "done":
          return result.messages;
        case "refused":
          throw refused(result.verdict, purpose);
        case "too-long":
          throw new FfiError(
            "FFI_MESSAGE",
            `cannot ${purpose.what}: there are more than ${MOST_MESSAGES} entries`,
          );
      }
    }
  }

  #next(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }

  #send(bytes: Uint8Array, { call, what }: Purpose): void {
    const sent = this.#libc.calls.send(this.#fd, bytes, BigInt(bytes.length), 0);
    this.#libc.check(sent, `send(${call})`, what);
  }

  /** The next datagram's messages; none with MSG_DONTWAIT when there is no more. */
  #receive({ call, what }: Purpose, flags = 0): NetlinkMessage[] {
    for (;;) {
      const room = BigInt(RECEIVE_BYTES);
      const length = this.#libc.calls.recv(this.#fd, this.#buffer, room, MSG_TRUNC | flags);
      if (length > RECEIVE_BYTES) {
        throw new FfiError("FFI_MESSAGE", `cannot ${what}: the answer has ${length} bytes`);
      }
      if (length >= 0) return readMessages(this.#buffer.slice(0, length));
      const { errno } = this.#libc;
      if (errno === Errno.EINTR) continue;
      if (errno === Errno.EAGAIN && flags !== 0) return [];
      this.#libc.check(
        length,
        `recv(${call})`,
        what,
        errno === Errno.EAGAIN ? `the kernel did not answer in ${ANSWER_SECONDS} s` : undefined,
      );
    }
  }
}

function accept(verdict: Verdict, purpose: Purpose): void {
  if (verdict.errno !== 0) throw refused(verdict, purpose);
}

function refused({ errno, text }: Verdict, { call, what, hints }: Purpose): FfiError {
  const name = `${errnoName(errno)} (${errno})`;
  const said = text === "" ? "" : `, "${text}"`;
  const right = errno === Errno.EPERM ? "run as root or with CAP_NET_ADMIN" : undefined;
  const hint = hints?.[errno] ?? right;
  const advice = hint === undefined ? "" : `; ${hint}`;
  return new FfiError(
    "FFI_NETLINK",
    `cannot ${what}: ${call} failed with ${name}${said}${advice}`,
    {
      syscall: call,
      errno,
      ...(text === "" ? {} : { fields: { kernel: text } }),
    },
  );
}
