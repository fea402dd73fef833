import { PulseError } from "../../../core/errors/mod.ts";
import type { LoopPorts, SegmentCipher, WireAddress } from "../loop/ports.ts";
import type { LoopCommand } from "../loop/types.ts";
import { nonceAt, segmentHead, segmentOverhead, writeHead } from "../wire/segment.ts";
import { serveLoop } from "./serve_loop.ts";
import type { TurnLoop } from "./turn_loop.ts";

/** Small and with gaps, so that a packet lies in many pieces. */
const [size, stride, pieces] = [64, 128, 32];

/** The smallest loop there is: every packet is one sealed datagram to the first peer, which does the same. */
class PipeLoop implements TurnLoop {
  readonly #ports: LoopPorts;
  readonly #pieces: number;
  readonly #packet: number;
  readonly #message: number;
  readonly #at = new Int32Array(pieces);
  readonly #length = new Int32Array(pieces);
  #peer: WireAddress | undefined;
  #seal: SegmentCipher | undefined;
  #open: SegmentCipher | undefined;
  #sealed = 0;
  #heard = false;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#pieces = ports.memory.allocate(stride * pieces);
    this.#packet = ports.memory.allocate(4096);
    this.#message = ports.memory.allocate(1 << 16);
  }

  command(command: LoopCommand): void {
    const { wire } = this.#ports;
    if (command.do === "tables") {
      const endpoint = command.tables.peers[0]?.paths[0]?.endpoint;
      if (endpoint) this.#peer = wire.address(endpoint);
    } else if (command.do === "seal") {
      this.#seal = this.#ports.cipher(command.key);
    } else if (command.do === "receive") {
      this.#open = this.#ports.cipher(command.key);
    } else if (command.do === "silence") {
      throw new PulseError("TEST_PIPE", "told to fail");
    }
  }

  turn(): void {
    for (let n = 0; n < 64; n++) {
      const read = this.#ports.tun.read(this.#pieces, stride, size, pieces);
      if (read > 0) this.#carry(read);
      const received = this.#ports.wire.receive(this.#message, 1 << 16);
      if (received > 0) this.#deliver(received);
      if (read < 1 && received < 1) return;
    }
  }

  tick(): number {
    return 1_000;
  }

  #carry(length: number): void {
    const { memory, wire } = this.#ports;
    if (this.#peer === undefined || this.#seal === undefined) return;
    const text = this.#packet + segmentHead;
    for (let done = 0, piece = 0; done < length; done += size, piece++) {
      const from = this.#pieces + piece * stride;
      memory.bytes.copyWithin(text + done, from, from + Math.min(size, length - done));
    }
    writeHead(memory.view, this.#packet, 1, 7, 0, this.#sealed++);
    this.#seal.seal(this.#packet + nonceAt, text, length, text + length);
    const whole = length + segmentOverhead;
    wire.send(this.#peer, this.#packet, whole, whole, 2);
  }

  #deliver(received: number): void {
    const { tun, wire, say } = this.#ports;
    const { segment, from, tos } = wire;
    for (let at = this.#message; at < this.#message + received; at += segment) {
      const text = at + segmentHead;
      const length = Math.min(segment, this.#message + received - at) - segmentOverhead;
      if (!this.#open?.open(at + nonceAt, text, length, text + length)) continue;
      if (!this.#heard) say({ say: "roamed", peer: tos, endpoint: from.text });
      this.#heard = true;
      let count = 0;
      for (let done = 0; done < length; done += size) {
        this.#at[count] = text + done;
        this.#length[count++] = Math.min(size, length - done);
      }
      tun.write(this.#at, this.#length, count, 0);
    }
  }
}

serveLoop((ports) => new PipeLoop(ports));
