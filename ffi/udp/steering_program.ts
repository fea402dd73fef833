/** Datagrams that are for the second socket: those whose first four bytes, as a big-endian number, say so. */
export interface Steering {
  readonly value: number;
  /** Which bits count. @default {0xffffffff} */
  readonly mask?: number;
}

/** Classic BPF: linux/bpf_common.h. */
const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** struct sock_filter: u16 code, u8 and u8 jumps, u32 operand. */
const INSTRUCTION = 8;

/**
 * The program that chooses between sockets that share a port, for SO_ATTACH_REUSEPORT_CBPF: 1 for datagrams that are marked,
 * 0 for all others. A datagram of less than four bytes ends the program at the load, which counts as 0.
 */
export function steeringProgram({ value, mask = 0xffff_ffff }: Steering): Uint8Array<ArrayBuffer> {
  const instructions: readonly (readonly [number, number, number, number])[] = [
    [LOAD_WORD, 0, 0, 0],
    [AND, 0, 0, mask],
    [JUMP_EQUAL, 0, 1, (value & mask) >>> 0],
    [RETURN, 0, 0, 1],
    [RETURN, 0, 0, 0],
  ];
  const program = new Uint8Array(instructions.length * INSTRUCTION);
  const view = new DataView(program.buffer);
  instructions.forEach(([code, whenTrue, whenFalse, operand], index) => {
    const at = index * INSTRUCTION;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, whenTrue);
    view.setUint8(at + 3, whenFalse);
    view.setUint32(at + 4, operand, true);
  });
  return program;
}
