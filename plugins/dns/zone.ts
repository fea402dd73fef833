import { rcode, rrType } from "./constants.ts";
import { type DirectoryIndex, meshZone } from "./directory_index.ts";
import { ResourceRecord } from "./resource_record.ts";
import { bareReply, type Reply } from "./response.ts";

/** Aliases followed for one question; a chain that is longer, or leads back into itself, is an error (RFC 1034 section 3.6.2). */
const maxChain = 8;

/**
 * The mesh's own answer.
 * @param name lower case, without the final dot
 * @returns null when the name lies outside of the mesh's zones
 */
export function answerFromZone(index: DirectoryIndex, name: string, type: number): Reply | null {
  if (isMeshName(name)) return answerName(index, name, type);
  const place = index.reverse.find(name);
  const records = index.find(name);
  if (place === undefined && records === undefined) return null;
  const { apex, whole } = place ?? { apex: name, whole: true };
  if (name === apex && records === undefined) {
    return select(index, apex, name, index.authority(apex), type, []);
  }
  // Above whole addresses there may be some below: RFC 8020 forbids to deny the branch.
  const found = records ?? (whole ? undefined : []);
  return select(index, apex, name, found, type, []);
}

/** Whether a name is `pulse` or ends in it: such a question never leaves the node. */
export function isMeshName(name: string): boolean {
  return name === meshZone || name.endsWith(`.${meshZone}`);
}

function answerName(index: DirectoryIndex, asked: string, type: number): Reply {
  const chain: ResourceRecord[] = [];
  let name = asked;
  for (;;) {
    const records = index.find(name);
    const alias = records?.find((record) => record.type === rrType.CNAME);
    if (alias?.target === undefined || type === rrType.CNAME) {
      return select(index, meshZone, name, records, type, chain);
    }
    chain.push(alias);
    if (type === rrType.ANY) return reply(chain);
    name = alias.target;
    if (chain.length > maxChain || chain.some((record) => record.owner === name)) {
      return { ...bareReply(rcode.servFail), authoritative: true, answers: chain };
    }
    if (!isMeshName(name)) return { ...reply(chain), outside: name };
  }
}

/** The records of that type, or that there are none (RFC 2308). */
function select(
  index: DirectoryIndex,
  apex: string,
  name: string,
  records: readonly ResourceRecord[] | undefined,
  type: number,
  chain: readonly ResourceRecord[],
): Reply {
  const [soa] = index.authority(apex);
  if (records === undefined) {
    return { ...reply(chain), rcode: rcode.nxDomain, authority: [soa] };
  }
  if (type === rrType.ANY && records.length > 0) {
    // RFC 8482 section 4.2: enough to be an answer, too little to be of use to a flood.
    const data = { cpu: "RFC8482", os: "" };
    return reply([...chain, new ResourceRecord(name, { type: "HINFO", ttl: 3_789, data })]);
  }
  const found = records.filter((record) => record.type === type);
  if (found.length === 0) return { ...reply(chain), authority: [soa] };
  return { ...reply([...chain, ...found]), additional: targetsOf(index, found, type) };
}

/** Addresses of what SRV and NS records name, once each. */
function targetsOf(
  index: DirectoryIndex,
  found: readonly ResourceRecord[],
  type: number,
): ResourceRecord[] {
  if (type !== rrType.SRV && type !== rrType.NS) return [];
  const hosts = new Set(found.map((record) => record.host));
  return [...hosts].flatMap((host) =>
    (host === undefined ? undefined : index.find(host))?.filter((record) =>
      record.type === rrType.A || record.type === rrType.AAAA
    ) ?? []
  );
}

function reply(answers: readonly ResourceRecord[]): Reply {
  return { rcode: rcode.noError, authoritative: true, answers, authority: [], additional: [] };
}
