import { meshIpv6, parseMeshCidr } from "../../core/identity/mesh_address.ts";
import { ipToBytes, parseIpv6 } from "../../core/identity/ip_text.ts";

const v4Suffix = "in-addr.arpa";
const v6Suffix = "ip6.arpa";
/** A network has a ULA /48. */
const v6Nibbles = 12;

/** Where a reverse name lies in the mesh's ranges. */
export interface ReversePlace {
  /** The zone it belongs to. */
  readonly apex: string;
  /** False for a name above whole addresses, such as `100.10.in-addr.arpa`. */
  readonly whole: boolean;
}

/**
 * The name an address has in the reverse tree, RFC 1035 section 3.5 and RFC 3596 section 2.5.
 * @throws {IdentityError} no address
 */
export function reverseName(address: string): string {
  const bytes = ipToBytes(address);
  if (bytes.length === 4) return `${[...bytes].reverse().join(".")}.${v4Suffix}`;
  return `${[...bytes.toHex()].reverse().join(".")}.${v6Suffix}`;
}

/**
 * The reverse zones a mesh is asked about: its IPv4 range, cut at octets (`10.100.16.0/20` is sixteen zones of three octets), and its IPv6
 * ULA. Nobody else knows these, so questions about them never leave the node.
 */
export class ReverseZones {
  readonly #octets: number;
  readonly #first: number;
  readonly #last: number;
  readonly #v6Apex: string;

  /** @throws {IdentityError} MESH_CIDR_INVALID */
  constructor(meshCidr: string, network: string) {
    const range = parseMeshCidr(meshCidr);
    this.#first = range.network;
    this.#last = range.network + range.hosts + 1;
    this.#octets = Math.ceil((32 - Math.log2(range.hosts + 2)) / 8);
    const prefix = parseIpv6(meshIpv6(network, "0".repeat(32)))!.toHex().slice(0, v6Nibbles);
    this.#v6Apex = `${[...prefix].reverse().join(".")}.${v6Suffix}`;
  }

  /** @param name lower case, without the final dot */
  find(name: string): ReversePlace | undefined {
    if (name.endsWith(`.${v4Suffix}`)) return this.#findV4(name);
    const apex = this.#v6Apex;
    if (name !== apex && !name.endsWith(`.${apex}`)) return undefined;
    return { apex, whole: name.length === 64 + v6Suffix.length };
  }

  #findV4(name: string): ReversePlace | undefined {
    const octets = name.slice(0, -v4Suffix.length - 1).split(".").reverse();
    if (octets.length < this.#octets) return undefined;
    const numbers = octets.slice(0, 4).map((octet) =>
      /^\d{1,3}$/.test(octet) ? Number(octet) : NaN
    );
    const address = [0, 1, 2, 3].reduce((sum, n) => sum * 256 + (numbers[n] ?? 0), 0);
    if (!(address >= this.#first && address <= this.#last)) return undefined;
    const apex = `${octets.slice(0, this.#octets).reverse().join(".")}.${v4Suffix}`;
    return { apex, whole: octets.length >= 4 };
  }
}
